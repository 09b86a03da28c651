"""What stands for each placeholder: what `prepare` wrote beside the record file, and what answers of this replay have told."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

from replay import heads
from replay.jar import read as cookies
from replay.records import PLACEHOLDER, PLACEHOLDER_BYTES, Made, Request
from replay.redaction import bare
from replay.wire import Reply

Fill = Callable[[str], str]
_NO_LINE = re.compile(r"[\x00-\x1f\x7f]")


class Unmapped(Exception):
    """Nothing is known for this placeholder."""


class NoValues(Exception):
    """The file is none of values; the text says what is wrong with it."""


def beside(record: Path) -> Path:
    """Where `prepare` writes them."""
    return record.with_name(f"{record.name}.values.json")


def load(path: Path) -> dict[str, str]:
    """Raises NoValues, OSError."""
    try:
        told = json.loads(path.read_text())
    except ValueError as error:
        raise NoValues(f"{path} is not JSON: {error}") from None
    if not isinstance(told, dict) or not all(
        PLACEHOLDER.fullmatch(name) and isinstance(value, str) for name, value in told.items()
    ):
        raise NoValues(f'{path} does not hold values, such as {{"{{{{email:1a2b3c}}}}": "…"}}')
    return told


def asked(request: Request) -> frozenset[str]:
    """The placeholders in it."""
    found = {one[0] for one in PLACEHOLDER.finditer(request.target)}
    for _, value in request.headers:
        found.update(one[0] for one in PLACEHOLDER.finditer(value))
    found.update(one[0].decode() for one in PLACEHOLDER_BYTES.finditer(request.body))
    return frozenset(found)


def filled(text: str, value_of: Fill, written: Fill = str) -> str:
    """Each placeholder replaced; `written` makes of a value what may stand in this place. Raises Unmapped."""
    return PLACEHOLDER.sub(lambda found: written(value_of(found[0])), text)


def filled_body(body: bytes, content_type: str, value_of: Fill) -> bytes:
    """Raises Unmapped."""
    written: Fill = str
    if content_type.startswith("application/x-www-form-urlencoded"):
        written = quote_plus
    elif "json" in content_type:
        written = in_json
    return PLACEHOLDER_BYTES.sub(lambda found: written(value_of(found[0].decode())).encode(), body)


def in_target(value: str) -> str:
    return quote(value, safe="")


def in_header(value: str) -> str:
    """Raises Unmapped for what would end the line."""
    if _NO_LINE.search(value):
        raise Unmapped(value)
    return value


def in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def told(made: Made, reply: Reply) -> str | None:
    """The id that an answer told in this place (`Made.pointer`), None when it did not."""
    pointer = made.pointer
    if pointer.startswith("cookie:"):
        wanted = bare(pointer.removeprefix("cookie:"))
        pairs = [cookies(line.decode("latin-1"))[:1] for line in heads.all_of(reply.head, b"set-cookie")]
        return next((value for pair in pairs for name, value in pair if bare(name) == wanted and value), None)
    if pointer.startswith("location:"):
        try:
            found = re.search(pointer.removeprefix("location:"), reply.header("location"))
            return found[1] if found else None
        except (re.error, IndexError):  # a pattern of a file is what somebody has written
            return None
    try:
        return _at(json.loads(reply.plain()), pointer)
    except (ValueError, RecursionError):
        return None


def _at(value: object, pointer: str) -> str | None:
    """RFC 6901."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
