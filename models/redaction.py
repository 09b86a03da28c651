"""What a log may hold: secrets and mail addresses never, the parameters of a statement as far as they are harmless."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

LONGEST = 100  # characters of a parameter
MOST_OF_A_LIST = 20

# The columns whose text is shown: names that the code gives, and what stands in addresses anyway. Of all others (mails,
# hashes, titles, bodies, a column that is made tomorrow) only the length is.
SHOWN = frozenset({"action", "kind", "lang", "list", "slug", "status", "tag", "target", "term"})

_COLUMN_BEFORE = re.compile(r"`?(\w+)`?\s*(?:=|<=>|<>|!=|<=|>=|<|>|\bNOT\s+IN|\bIN|\bLIKE)\s*\(?\s*$", re.IGNORECASE)
_INSERT = re.compile(r"\b(?:INSERT|REPLACE)\b[^(]*\(([^)]*)\)\s*VALUES\s*\(", re.IGNORECASE)
_MARKS = re.compile(r"%s|%%")

# Possessive, and begun only where a word begins: what strangers send is looked through once, not once for each letter.
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_IN_URL = re.compile(r"(?<=://)[^\s/@:]*+:[^\s/@]++(?=@)")
_HASH = re.compile(r"\$argon2\w*\$[^\s'\"]+")
# What secrets.token_urlsafe(24) and longer ones look like; slugs have no capitals, and names of ours no digits.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*[0-9])[\w-]{32,}+", re.ASCII)
_TICKET = re.compile(r"(?<=/unsubscribe/)[\w-]++")
_SHORTEST_SECRET = 6  # a@b.cd


def scrub(text: str) -> str:
    """The text without mail addresses, password hashes, tokens, and passwords in URLs."""
    if len(text) < _SHORTEST_SECRET:
        return text
    if "@" in text:
        text = _MAIL.sub("<mail>", _IN_URL.sub("<secret>", text))
    if "$argon2" in text:
        text = _HASH.sub("<hash>", text)
    if "/unsubscribe/" in text:
        text = _TICKET.sub("<token>", text)
    return _TOKEN.sub("<token>", text) if len(text) >= 32 else text


@lru_cache(2048)
def _path(path: str) -> str:
    return json.dumps(scrub(path))


def json_path(path: str) -> str:
    """A path as it stands in a line of JSON. Most are asked for again and again; a stranger's long ones are not kept."""
    return _path(path) if len(path) < 200 else _path.__wrapped__(path)


def parameters(sql: str, args: tuple[Any, ...]) -> list[Any]:
    """The parameters of a statement, fit for JSON: numbers and times as they are, texts as their column allows."""
    columns = _columns(sql)
    return [_shown(arg, columns[at] if at < len(columns) else "") for at, arg in enumerate(args)]


def _columns(sql: str) -> list[str]:
    """For each %s of the statement the column that it is compared with or goes into; "" where that is not plain."""
    inserted: dict[int, str] = {}
    if found := _INSERT.search(sql):
        at = found.end()
        for column, value in zip(found[1].split(","), sql[at:].split(","), strict=False):
            mark = value.find("%s")
            if mark >= 0 and value.strip(" )\n").startswith("%s"):
                inserted[at + mark] = column.strip(" `\n")
            at += len(value) + 1
    columns = []
    for mark_found in _MARKS.finditer(sql):
        if mark_found[0] == "%s":
            before = _COLUMN_BEFORE.search(sql, max(0, mark_found.start() - 80), mark_found.start())
            columns.append(before[1].lower() if before else inserted.get(mark_found.start(), "").lower())
    return columns


def _shown(value: Any, column: str) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return f"<{len(value)} bytes>"
        case list() | tuple() | set() | frozenset():
            items = list(value)
            more = [f"<{len(items) - MOST_OF_A_LIST} more>"] if len(items) > MOST_OF_A_LIST else []
            return [_shown(item, column) for item in items[:MOST_OF_A_LIST]] + more
        case str() if column in SHOWN:
            return scrub(value if len(value) <= LONGEST else value[:LONGEST] + "…")
        case str():
            return f"<text of {len(value)} characters>"
    return f"<{type(value).__name__}>"
