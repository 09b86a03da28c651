"""An answer without what differs each time: so two answers can be told to be the same page, though not the same bytes.

Of HTML and XML what a reader sees counts, and where links lead; of JSON each value under its path. Numbers, moments, and words
that look like keys are as good as equal in a text. What else differs by chance is found out by asking twice (differing.py).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

MOST_LEAVES: Final = 500  # values of a JSON body that are looked at
LONGEST: Final = 20_000  # letters of a text that are kept to be shown
TEXT: Final = "text"  # the field of a body that is read as a text
BYTES: Final = "bytes"  # the field of one that is not read
_VALUE: Final = 200  # letters of a JSON value
_XML: Final = re.compile(r"(text/html|[/+]xml)")
_SEEN: Final = frozenset(
    {"href", "src", "action", "alt", "title", "placeholder", "value", "content", "aria-label", "datetime"}
)
_UNSEEN: Final = frozenset({"script", "style", "template"})
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_HEX: Final = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE)
# It looks ahead no further than a key is long: in a long text of numbers each of them would look through all the others.
_KEY: Final = re.compile(
    r"\b(?=[A-Za-z_-]{0,99}\d)(?=[A-Z0-9_-]{0,99}[a-z])(?=[a-z0-9_-]{0,99}[A-Z])[A-Za-z0-9_-]{20,}"
)
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """What an answer says, by the name of the field: `/items/0/name` of JSON, `text`, or `bytes`."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    try:
        if kind == "application/json" or kind.endswith("+json"):
            return dict(_leaves(json.loads(body)))
        if _XML.search(kind):
            return {TEXT: _without_chance(_seen(body.decode()))}
        if kind.startswith("text/") and kind not in ("text/css", "text/javascript"):
            return {TEXT: _without_chance(body.decode())}
    except (ValueError, RecursionError):  # it is not what it says: then its bytes are what there is
        pass
    return {BYTES: hashlib.sha256(body).hexdigest()}


def general(name: str) -> str:
    """The field of all items of a list: `/items/*/name`."""
    return _INDEX.sub("/*", name)


def _leaves(told: Any) -> Iterator[tuple[str, str]]:
    waiting, count = [("", told)], 0
    while waiting and count < MOST_LEAVES:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{path}/{_pointed(name)}", one) for name, one in reversed(value.items())]
        elif isinstance(value, list) and value:
            waiting += [(f"{path}/{place}", one) for place, one in reversed(list(enumerate(value)))]
        else:
            count += 1
            yield path or "/", _short(json.dumps(value, ensure_ascii=False))


def _pointed(name: str) -> str:
    """As in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _short(value: str) -> str:
    if len(value) <= _VALUE:
        return value
    return f"{value[:_VALUE]}… {hashlib.sha256(value.encode(errors='replace')).hexdigest()[:16]}"


def _without_chance(text: str) -> str:
    text = _MOMENT.sub("<time>", _UUID.sub("<id>", text))
    return _NUMBER.sub("0", _KEY.sub("<key>", _HEX.sub("<hex>", text)))


def _seen(page: str) -> str:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return "\n".join(reader.lines)


class _Reader(HTMLParser):
    """A line for each piece of text, and for each attribute that a reader sees or follows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        self.lines += [f"{tag} {name}={value}" for name, value in attrs if name in _SEEN and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden and (text := " ".join(data.split())):
            self.lines.append(text)
