"""The names that people give to their files: kept as they are, but for what no file name has."""

import re
import unicodedata

LONGEST = 255  # characters
NAMELESS = "file"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}", re.ASCII)


def clean(name: str) -> str:
    """The last part of a path, without control characters; a longer one is shortened before its suffix."""
    name = "".join(sign for sign in name.replace("\\", "/") if unicodedata.category(sign) not in ("Cc", "Cs"))
    name = name.rstrip("/").rpartition("/")[2].strip()
    if name.strip(".") == "":
        return NAMELESS
    end = name[len(name) - len(suffix(name)) :]
    return name if len(name) <= LONGEST else name[: LONGEST - len(end)].rstrip() + end


def resized(name: str, box: str, end: str) -> str:
    """The name of a copy of another size: "cat.png" for "300x200", stored as JPEG, is "cat-300x200.jpg"."""
    known = suffix(name)
    end = end or known
    stem = name[: len(name) - len(known)]
    return f"{stem[: LONGEST - len(box) - len(end) - 1]}-{box}{end}"


def suffix(name: str) -> str:
    """The end of a name that says what it is, ".png", in small letters; "" for none that is safe in an address."""
    stem, dot, end = name.rpartition(".")
    found = dot + end.lower()
    return found if stem and _SUFFIX.fullmatch(found) else ""
