"""The names that people give to their files: kept as they are, but for what no file name has."""

import re
import unicodedata
from typing import Literal
from urllib.parse import quote

LONGEST = 255  # characters
NAMELESS = "file"
_ATTR = "!#$&+-.^_`|~"  # what RFC 8187 lets stand in a name beside letters and digits
_LONGEST_PLAIN = 100  # characters of the form for old programs: one sign can become eighteen
# Not ASCII; quotes and both slashes; percent, which some take for an escape.
_UNQUOTABLE = re.compile(r"[^ !#-$&-.0-\[\]-~]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # "photo\u202egpj.exe" is shown as photoexe.jpg
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}", re.ASCII)


def clean(name: str) -> str:
    """The last part of a path, without control characters and what turns text around; a longer one is shortened before its
    suffix."""
    name = "".join(
        sign for sign in _TURNING.sub("", name).replace("\\", "/") if unicodedata.category(sign) not in ("Cc", "Cs")
    )
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


def with_suffix(name: str, end: str) -> str:
    """The name with this suffix in place of the one it has: what it is has changed."""
    stem = name[: len(name) - len(suffix(name))]
    return f"{stem[: LONGEST - len(end)]}{end}"


def disposition(how: Literal["inline", "attachment"], name: str) -> str:
    """The header Content-Disposition, by which a browser saves the file under this name, whatever its script (RFC 6266).

    The plain form beside it is for old programs; neither can hold a line end, a quote, or what turns text around.
    """
    name = clean(name)
    plain = _UNQUOTABLE.sub("_", unicodedata.normalize("NFKD", name))
    if len(plain) > _LONGEST_PLAIN:
        end = suffix(plain)
        plain = plain[: _LONGEST_PLAIN - len(end)] + end
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe=_ATTR)}"
    return f'{how}; filename="{plain}"{exact}'
