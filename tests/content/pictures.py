"""Pictures for tests, made here."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def picture(width: int = 60, height: int = 40, format: str = "PNG", *, mode: str = "RGB", **options: Any) -> bytes:
    """The left half is red, the right half blue."""
    image = Image.new(mode, (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    data = BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def bomb(width: int = 60_000, height: int = 60_000, *, whole: bool = True) -> bytes:
    """A PNG that says that it is so large; of its pixels it has none."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"") if whole else head
