"""Files of members, there without an upload."""

import asyncio
from datetime import timedelta
from io import BytesIO

from PIL import Image

from content import kinds
from models import Models
from models.files import File
from models.users import User


def png(width: int = 3, height: int = 2, colour: str = "teal") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


PNG = png()


async def stored(models: Models, owner: User, name: str, data: bytes, expires: timedelta | None = None) -> File:
    """As an upload of these bytes leaves it."""
    async with await models.storage.incoming() as incoming:
        await incoming.write(data)
        await incoming.finish()
        found = await asyncio.to_thread(kinds.find, incoming.path, name, 10**8)
        return (await models.files.add(incoming, name, found, by=owner, expires=expires)).file
