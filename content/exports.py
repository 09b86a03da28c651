"""A post as a Markdown file that tells all of it, and what such a file tells beyond the front matter that others know."""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

KEY = "plaza"  # of the front matter: what only another Plaza understands
STATUSES = ("draft", "scheduled", "published")
_LONGEST_NAME = 150  # bytes of a slug in a file's name; file systems take 255 in all
_NOT_IN_NAMES = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Own:
    """What makes a post the same post elsewhere. `published` stands in the file as its `date`.

    `source`: the path that it was known by at an earlier import.
    """

    number: int
    status: str
    created: datetime
    updated: datetime
    published: datetime | None = None
    byline: str | None = None
    source: str | None = None


def own_part(fields: dict[str, Any]) -> Own | None:
    """What the front matter says to Plaza; None when it says nothing. Raises ValueError."""
    said = fields.get(KEY)
    if not isinstance(said, dict) or "number" not in said:
        return None
    values: dict[str, Any] = {name: said.get(name) for name in Own.__slots__} | {"published": fields.get("date")}
    found = Own(**values)  # looked at below
    moments = (found.created, found.updated, found.published or found.created)
    times = all(isinstance(at, datetime) and at.tzinfo for at in moments)
    dated = found.status == "draft" or found.published is not None
    texts = all(text is None or isinstance(text, str) for text in (found.byline, found.source))
    number = type(found.number) is int and 0 < found.number < 10**18
    if not (times and dated and texts and number and found.status in STATUSES):
        raise ValueError(f"what it says under {KEY!r} was not written by an export")
    return found


def file_name(own: Own, slug: str) -> str:
    """Where the file stands: by year, or among the drafts."""
    words = _NOT_IN_NAMES.sub("-", slug).encode()[:_LONGEST_NAME].decode(errors="ignore")
    year = own.published and own.published.astimezone(UTC).year
    folder = f"{year:04}" if year and own.status == "published" else own.status
    return f"{folder}/{own.number}-{words}.md"


def markdown(
    own: Own, *, title: str, summary: str, md: str, tags: tuple[str, ...], author: str, slug: str, aliases: tuple[str, ...]
) -> str:  # fmt: skip
    """The whole file."""
    head: dict[str, Any] = {"title": title}
    if own.published:
        head["date"] = own.published
    head |= {"author": author, "summary": summary, "tags": list(tags), "slug": slug}
    if aliases:
        head["aliases"] = list(aliases)
    if own.status != "published":
        head["draft"] = True
    head[KEY] = {name: value for name, value in asdict(own).items() if value is not None and name != "published"}
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)}---\n\n{md}"
