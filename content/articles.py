"""One Markdown file of another site as a post: what its front matter says, and why it is refused."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path, PurePosixPath
from typing import Any

from content.exports import Own, own_part
from content.frontmatter import parse
from content.markdown import LONGEST_EXCERPT, MOST_CHARACTERS
from content.slugs import excerpt, slug

LONGEST_TITLE = 200
LONGEST_BYLINE = 500
MOST_BYTES = 4 * MOST_CHARACTERS
_DATED_PATH = re.compile(r"(?:^|/)(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?=[/-]|$)")
_DAY = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
_FIRST_HEADING = re.compile(r"#[ \t]+([^\n]+?)[ \t#]*(?:\n|\Z)|([^\n]+)\n=+[ \t]*(?:\n|\Z)")


class Refused(ValueError):
    """The file cannot become a post; the message ends the sentence "<name>: ..."."""


@dataclass(frozen=True, slots=True)
class Article:
    """One file. `authors` and `tags` may be empty, `summary` may be ""; `aliases` are its old paths.

    `own`: what a file that `plaza export` wrote says beyond that. A draft without a date has the day on which it was begun.
    """

    title: str
    summary: str
    md: str
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    published_at: datetime
    aliases: tuple[str, ...]
    slug: str
    own: Own | None = None


def read(file: Path, zone: tzinfo = UTC) -> Article:
    """The article in a file; a date without a time is midnight in `zone`. Raises Refused."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Refused(f"it is larger than {MOST_BYTES:,} bytes")
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Refused("it is not UTF-8 text") from None
    except OSError as error:
        raise Refused(f"it cannot be read ({error.strerror})") from error
    return article(text, file.stem, zone)


def article(text: str, stem: str, zone: tzinfo = UTC) -> Article:
    """The article in a text; `stem` is the file's name, which may carry the date. Raises Refused."""
    try:
        fields, md = parse(text)
        own = own_part(fields)
    except ValueError as error:  # BadFrontMatter is one
        raise Refused(str(error)) from None
    if own:
        return _exported(fields, md, own)
    if fields.get("draft") is True:
        raise Refused("it is a draft")
    title = _line(fields.get("title"))
    path = _line(fields.get("path"))
    published_at = _moment(fields.get("date"), zone) or _dated(path, zone) or _dated(stem, zone)
    missing = [name for name, value in (("title", title), ("date", published_at)) if not value]
    if missing or published_at is None:
        raise Refused("it has no " + " and no ".join(missing))
    if len(title) > LONGEST_TITLE:
        raise Refused(f"its title has more than {LONGEST_TITLE} characters")
    if not md.strip():
        raise Refused("it has no text")
    return Article(
        title=title,
        summary=excerpt(_line(fields.get("description") or fields.get("summary")), LONGEST_EXCERPT),
        md=_without_title(md, title),
        tags=_tags(fields),
        authors=_names(fields.get("authors") or fields.get("author")),
        published_at=published_at,
        aliases=tuple(
            dict.fromkeys(_address(old) for old in (path, *_texts(fields.get("aliases"))) if old.strip("/ "))
        ),
        slug=slug(_line(fields.get("slug")) or title),
    )


def _exported(fields: dict[str, Any], md: str, own: Own) -> Article:
    """A file of `plaza export`: every text as it is, and nothing left out."""
    tags, title, slug = fields.get("tags"), fields.get("title"), fields.get("slug")
    if not isinstance(title, str) or not isinstance(slug, str) or not isinstance(tags, list) or not title or not md:
        raise Refused("it is an exported file that lost its title, slug, tags or text")
    if len(title) > LONGEST_TITLE:
        raise Refused(f"its title has more than {LONGEST_TITLE} characters")
    return Article(
        title=title, summary=str(fields.get("summary") or ""), md=md, tags=_texts(tags), authors=_names(fields.get("author")),
        published_at=own.published or own.created, aliases=_texts(fields.get("aliases")), slug=slug, own=own,
    )  # fmt: skip


def byline(authors: tuple[str, ...]) -> str | None:
    """All names when there are several; None when the author's own says it."""
    return ", ".join(authors)[:LONGEST_BYLINE] if len(authors) > 1 else None


def _line(value: Any) -> str:
    """A value on one line, or "" for what is no text."""
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and value is not True else ""


def _texts(value: Any) -> tuple[str, ...]:
    """A value, or each of a list of them."""
    return tuple(filter(None, map(_line, value if isinstance(value, list) else [value])))


def _names(value: Any) -> tuple[str, ...]:
    people = value if isinstance(value, list) else [value]
    return _texts([person.get("name") if isinstance(person, dict) else person for person in people])


def _tags(fields: dict[str, Any]) -> tuple[str, ...]:
    groups = fields.get("taxonomies")
    in_group = groups.get("tags") if isinstance(groups, dict) else None
    named = fields.get("tags") or in_group or fields.get("keywords") or fields.get("categories")
    tags = named if isinstance(named, list) else re.split(r"[,，、;；]", _line(named))
    return tuple(dict.fromkeys(_texts(tags)))[:10]


def _moment(value: Any, zone: tzinfo) -> datetime | None:
    """A date of TOML or YAML, or one written as 2020/4/28, with or without a time behind it."""
    if isinstance(value, datetime):
        return _utc(value if value.tzinfo else value.replace(tzinfo=zone))
    if isinstance(value, date):
        return _utc(datetime.combine(value, time(), zone))
    text = _line(value)
    try:
        return _moment(datetime.fromisoformat(text), zone)
    except ValueError:
        day = _DAY.match(text)
        return _midnight(day, zone) if day else None


def _dated(path: str, zone: tzinfo) -> datetime | None:
    day = _DATED_PATH.search(path)
    return _midnight(day, zone) if day else None


def _midnight(day: re.Match[str], zone: tzinfo) -> datetime | None:
    try:
        return _utc(datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=zone))
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime | None:
    """None for a year that nobody means and that a database may not hold."""
    return moment.astimezone(UTC) if 1000 < moment.year < 9999 else None


def _address(old: str) -> str:
    """An old address as a path from the root; a whole URL loses its host."""
    return str(PurePosixPath("/", re.sub(r"^https?://[^/]*", "", old).lstrip("/")))


def _without_title(md: str, title: str) -> str:
    """Without a first heading that only repeats the title, which the page shows anyway."""
    first = _FIRST_HEADING.match(md.lstrip())
    if first and _line(first[1] or first[2]).casefold() == title.casefold():
        return md.lstrip()[first.end() :].lstrip("\n") or md
    return md
