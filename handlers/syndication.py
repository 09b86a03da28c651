"""What a feed says, and how it is written as Atom, RSS 2.0 or JSON Feed 1.1."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

KINDS = {
    "atom": "application/atom+xml; charset=UTF-8",
    "rss": "application/rss+xml; charset=UTF-8",
    "json": "application/feed+json; charset=UTF-8",
}
# What XML 1.0 has no way to write; JSON has one.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` stays when the title, and with it the address, changes. `html` has whole addresses only."""

    id: str
    url: str
    title: str
    summary: str
    html: str
    language: str
    published: datetime
    changed: datetime
    author: str
    author_url: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """`url` is the feed's own address, `home` that of the page it follows; `logo` may be ""."""

    title: str
    description: str
    url: str
    home: str
    language: str
    logo: str
    entries: tuple[Entry, ...]

    @property
    def changed(self) -> datetime:
        """Of the entry that changed last: an unchanged feed has the same bytes."""
        return max((entry.changed for entry in self.entries), default=_NEVER)


def well_formed(xml: str) -> str:
    """The document without the characters that XML cannot have."""
    return _NOT_XML.sub("", xml)


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def json_feed(feed: Feed) -> str:
    """https://www.jsonfeed.org/version/1.1/"""
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1", "title": feed.title, "description": feed.description,
            "home_page_url": feed.home, "feed_url": feed.url, "language": feed.language,
            **({"icon": feed.logo} if feed.logo else {}),
            "items": [_item(entry) for entry in feed.entries],
        },
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip


def _item(entry: Entry) -> dict[str, Any]:
    author = {"name": entry.author} | ({"url": entry.author_url} if entry.author_url else {})
    item = {
        "id": entry.id, "url": entry.url, "title": entry.title, "content_html": entry.html, "summary": entry.summary,
        "date_published": rfc3339(entry.published), "date_modified": rfc3339(entry.changed), "authors": [author],
        "tags": list(entry.tags), "language": entry.language,
    }  # fmt: skip
    return {name: value for name, value in item.items() if value}
