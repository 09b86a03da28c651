"""What a JSON Feed must be, after https://www.jsonfeed.org/version/1.1/: `faults(feed)` is empty for a good one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and " " not in value


def moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def _author(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and not _wrong(value, AUTHOR, ())


def _authors(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_author, value))


AUTHOR: dict[str, Check] = {"name": text, "url": address, "avatar": address}
FEED: dict[str, Check] = {
    "version": lambda value: value == "https://jsonfeed.org/version/1.1", "title": text, "home_page_url": address,
    "feed_url": address, "description": text, "language": text, "icon": address, "favicon": address, "authors": _authors,
    "next_url": address, "items": lambda value: isinstance(value, list),
}  # fmt: skip
ITEM: dict[str, Check] = {
    "id": text, "url": address, "external_url": address, "title": text, "content_html": text, "content_text": text,
    "summary": text, "image": address, "date_published": moment, "date_modified": moment, "authors": _authors,
    "tags": texts, "language": text,
}  # fmt: skip


def faults(feed: dict[str, Any]) -> list[str]:
    """What is wrong with it, each in a few words."""
    found = _wrong(feed, FEED, ("version", "title", "items"))
    for n, item in enumerate(feed.get("items", [])):
        found += [f"item {n}: {fault}" for fault in _wrong(item, ITEM, ("id",))]
        if "content_html" not in item and "content_text" not in item:
            found.append(f"item {n}: no content")
    ids = [item.get("id") for item in feed.get("items", [])]
    return found + (["two items with one id"] if len(set(ids)) < len(ids) else [])


def _wrong(value: dict[str, Any], known: dict[str, Check], needed: tuple[str, ...]) -> list[str]:
    missing = [f"no {name}" for name in needed if name not in value]
    unknown = [f"unknown {name}" for name in value if name not in known and not name.startswith("_")]
    return (
        missing
        + unknown
        + [f"{name}: {value[name]!r}" for name in value if name in known and not known[name](value[name])]
    )
