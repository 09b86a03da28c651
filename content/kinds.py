"""What an upload is."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "pdf", "video", "audio", "text", "binary"]


@dataclass(frozen=True, slots=True)
class Found:
    """`width` and `height` of an image, in pixels; else None."""

    mime: str
    kind: Kind
    width: int | None = None
    height: int | None = None
