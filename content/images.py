"""Pictures: how large one is, by its header alone; and one cropped and scaled. Whoever decodes runs in a process of its own."""

import struct
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from PIL import Image, ImageCms

LARGEST = 4096  # pixels of a side of what is made
MIMES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp", "AVIF": "image/avif", "BMP": "image/bmp",
}  # fmt: skip
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}  # of what is made
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM")
_MADE_AS = {"JPEG": "JPEG", "WEBP": "WEBP", "AVIF": "WEBP"}  # the others as PNG; to write AVIF takes seconds
_OPTIONS = {"JPEG": {"quality": 85, "progressive": True}, "WEBP": {"quality": 85}, "PNG": {}}
_ORIENTATION = 0x0112
_SIDEWAYS = 5  # from this orientation on width and height change places
# What turns a picture upright, by its orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# What decoders say of broken or hostile bytes.
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, IndexError, KeyError, TypeError, RuntimeError,
    struct.error,
)  # fmt: skip

# The limit is ours to hold (content/kinds.py), by the header and for all formats; Pillow's own only warns at first.
Image.MAX_IMAGE_PIXELS = None


class Header(NamedTuple):
    mime: str
    width: int
    height: int


class Made(NamedTuple):
    data: bytes
    mime: str
    width: int
    height: int


def looks_like_one(head: bytes) -> bool:
    """Whether it begins as an image that we read."""
    return is_container(head) or head.startswith(_BEGINNINGS)


def is_container(head: bytes) -> bool:
    """Whether it begins as a WebP or an AVIF."""
    return head[8:12] == b"WEBP" if head.startswith(b"RIFF") else head[4:8] == b"ftyp" and b"avif" in head[8:64]


def header(file: IO[bytes]) -> Header | None:
    """Type, and size when it stands upright, without decoding; None for what cannot be read."""
    try:
        with _opened(file) as image:
            width, height = image.size
            if _orientation(image) >= _SIDEWAYS:
                width, height = height, width
            return Header(MIMES[_format(image)], width, height)
    except Exception:  # whatever a decoder says of bytes that somebody has sent, it is their fault
        return None


def resized(path: Path, width: int, height: int) -> Made:
    """Cropped about its centre to the ratio width:height, then scaled down to that size; what is smaller stays so. Upright, in
    sRGB, without metadata; of several frames the first. Raises one of BROKEN."""
    with path.open("rb") as file, _opened(file) as image:
        orientation = _orientation(image)
        if orientation >= _SIDEWAYS:
            width, height = height, width
        profile, kind = image.info.get("icc_profile"), _format(image)
        share = min(1.0, max(width / image.width, height / image.height))
        if kind == "JPEG":  # its decoder can leave out what is scaled away: eight times as fast, and as small
            image.draft(None, (int(image.width * share) + 1, int(image.height * share) + 1))
        made = _fitted(_plain(image), width, height)
    made = _srgb(made, profile)
    if orientation in _TURNS:
        made = made.transpose(_TURNS[orientation])
    made.info.clear()
    target = _MADE_AS.get(kind, "PNG")
    data = BytesIO()
    made.save(data, target, **_OPTIONS[target])
    return Made(data.getvalue(), MIMES[target], made.width, made.height)


def _opened(file: IO[bytes]) -> Image.Image:
    return Image.open(file, formats=tuple(MIMES))


def _format(image: Image.Image) -> str:
    """A JPEG that holds several pictures, as phones make them, is a JPEG."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8 (EXIF): 1 is upright. Of a PNG as it says before its pixels."""
    try:
        # PngImageFile's own would decode all the pixels to look behind them.
        found = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except Exception:  # the picture may be whole
        return 1
    return found if isinstance(found, int) else 1


def _plain(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled."""
    if image.mode in ("RGB", "RGBA", "L", "CMYK"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The largest part about the centre that has the ratio, scaled down to the size."""
    wide = min(image.width, image.height * width / height)
    high = min(image.height, image.width * height / width)
    left, top = (image.width - wide) / 2, (image.height - high) / 2
    scale = min(1.0, width / wide)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    return image.resize(size, Image.Resampling.LANCZOS, (left, top, left + wide, top + high), reducing_gap=3.0)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours that everybody's screen understands; by the profile, if it can be read."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and image.mode != "RGBA":
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return made if made is not None else image.convert(mode)
        except (ImageCms.PyCMSError, OSError):  # a profile that is broken, or of something else
            pass
    return image if image.mode == "L" else image.convert(mode)
