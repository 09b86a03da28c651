"""Files of members, there without an upload."""

import asyncio
import wave
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

from content import kinds
from models import Models
from models.file_rows import File
from models.users import User


def png(width: int = 3, height: int = 2, colour: str = "teal") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def wav(seconds: float = 1.0) -> bytes:
    """Silence."""
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 1, 8_000, 0, "NONE", ""))
        sound.writeframes(bytes([128]) * int(8_000 * seconds))
    return out.getvalue()


PNG = png()
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1
/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 40>>stream
BT /F 24 Tf 20 40 Td (A paper) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""


async def stored(models: Models, owner: User, name: str, data: bytes, expires: timedelta | None = None) -> File:
    """As an upload of these bytes leaves it."""
    async with await models.storage.incoming() as incoming:
        await incoming.write(data)
        await incoming.finish()
        found = await asyncio.to_thread(kinds.find, incoming.path, name, 10**8)
        return (await models.files.add(incoming, name, found, by=owner, expires=expires)).file


def form(name: str, data: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of a form with a file, as browsers send it."""
    parts = [(f'name="{field}"', value.encode()) for field, value in fields.items()]
    parts.append((f'name="file"; filename="{name}"', data))
    body = b"".join(
        f"--x-y-z\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n" for head, value in parts
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x-y-z", "Accept": "text/html"}
    return body + b"--x-y-z--\r\n", kind


async def nothing_is_left(folder: Path) -> bool:
    """Of what was being sent to this storage. Whoever is answered first may be told before that is gone."""
    for _ in range(500):
        if not list((folder / "incoming").glob("*")):
            return True
        await asyncio.sleep(0.01)
    return False
