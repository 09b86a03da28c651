"""One site's addresses onto another's, by popularity: the page that was asked for most becomes the first page here, and so on.

Kinds keep to themselves: pages to pages, feeds to feeds, pictures to pictures. What was not found stays not found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from replay.sites import AnySite

EXAMPLES: Final = 3
NOT_FOUND: Final = frozenset({404, 410})  # statuses
# Where a kind has no address on this site, the nearest that has.
_INSTEAD: Final[Mapping[str, tuple[str, ...]]] = {
    "tag": ("page",), "picture": ("file", "asset"), "asset": ("picture", "file"), "file": ("picture", "asset"),
    "front": ("page",), "page": ("front",), "feed": (),
}  # fmt: skip
KINDS: Final = (*_INSTEAD, "well known", "not found")
WELL_KNOWN: Final = frozenset(
    {"/robots.txt", "/favicon.ico", "/sitemap.xml", "/apple-touch-icon.png", "/ads.txt", "/humans.txt"}
)
_FRONT: Final = re.compile(r"/(index\.[a-z]{2,5}|default\.aspx?)?", re.IGNORECASE)
_FEED: Final = re.compile(
    r"\.(rss|atom|rdf)$|(^|/)(feeds?|rss|atom)([./][^/]*)?/?$|(^|/)(feed|index|rss|atom)\.(xml|json)$", re.IGNORECASE
)
_FEED_QUERY: Final = re.compile(r"(^|&)(flav|feed|format|type)=(rss|atom|rdf)[0-9.]*", re.IGNORECASE)
_TAG: Final = re.compile(r"/(tags?|category|categories|topics?|labels?)/", re.IGNORECASE)
_PICTURE: Final = re.compile(r"\.(png|jpe?g|gif|webp|avif|svg|ico|bmp)$", re.IGNORECASE)
_ASSET: Final = re.compile(r"\.(css|m?js|map|woff2?|ttf|otf|eot)$", re.IGNORECASE)
_PAGE: Final = re.compile(r"(^|/)[^/.]*/?$|\.([sxp]?html?|php[0-9]?|aspx?|jsp|cgi)$|-[^/]*$", re.IGNORECASE)
_FOR_ANY_SITE: Final = re.compile(r"utm_[a-z]+|fbclid|gclid|ref", re.ASCII)


def kind_of(target: str) -> str:
    """What such an address seems to be, by its look."""
    path, _, query = target.partition("?")
    if path in WELL_KNOWN:
        return "well known"
    if _FEED.search(path) or _FEED_QUERY.search(query):
        return "feed"
    if _FRONT.fullmatch(path):
        return "front"
    if _PICTURE.search(path):
        return "picture"
    if _ASSET.search(path):
        return "asset"
    if _TAG.search(path):
        return "tag"
    return "page" if _PAGE.search(path) else "file"


class Places:
    """The addresses of this site, by kind. Inside a kind the largest family comes first (of a blog: its posts), each family in
    the order in which it was told."""

    def __init__(self, addresses: Iterable[str]) -> None:
        families: dict[str, dict[str, list[str]]] = {}
        self.known = frozenset(addresses := list(dict.fromkeys(addresses)))
        for address in addresses:
            route = AnySite().route("GET", address)
            families.setdefault(kind_of(address), {}).setdefault(route, []).append(address)
        self.by_kind = {
            kind: [one for family in sorted(of_kind.values(), key=len, reverse=True) for one in family]
            for kind, of_kind in families.items()
        }
        self._first_parts = {address.split("/")[1].partition("?")[0] for address in self.known} - {""}

    def for_kind(self, kind: str) -> list[str]:
        """Those of the kind itself, else of the nearest one."""
        return next((self.by_kind[one] for one in (kind, *_INSTEAD[kind]) if self.by_kind.get(one)), [])

    def well_known(self, path: str) -> str | None:
        """The same, where it is here; in the place of an icon that is not, the picture that this site shows instead."""
        if path in self.known:
            return path
        pictures = self.by_kind.get("picture", []) if _PICTURE.search(path) else []
        return next((one for one in pictures if "icon" in one), pictures[0] if pictures else None)

    def missing(self, target: str) -> str:
        """An address that is not here either."""
        path = target.partition("?")[0]
        here = path in self.known or path.split("/")[1] in self._first_parts or kind_of(path) in ("front", "well known")
        return f"/not-here{path}" if here else path


@dataclass(slots=True)
class Kind:
    """What became of a kind: `distinct` addresses of `asked` requests, onto `places` of this site."""

    kind: str
    asked: int = 0
    distinct: int = 0
    places: int = 0
    unmapped: int = 0
    examples: list[str] = field(default_factory=list)


class Popularity:
    """Count all first (`saw`), then `settle`, then ask for each where it goes (`place_of`)."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._asked: dict[str, Counter[str]] = {}
        self.mapping: dict[str, str] = {}

    def saw(self, target: str, status: int) -> None:
        kind, key = _key(target, status)
        self._asked.setdefault(kind, Counter())[key] += 1

    def settle(self) -> list[Kind]:
        """Give each address its place, the most popular first; where there are more than places, they begin anew."""
        kinds = []
        for kind in KINDS:
            asked = self._asked.get(kind)
            if not asked:
                continue
            told = Kind(kind, asked.total(), len(asked))
            ranked = sorted(asked, key=lambda key: (-asked[key], key))
            if kind == "well known":
                found = {key: place for key in ranked if (place := self._places.well_known(key))}
                lost = [key for key in ranked if key not in found]
                self.mapping |= found
                told.unmapped, told.examples = sum(asked[key] for key in lost), lost[:EXAMPLES]
            elif kind == "not found":
                self.mapping |= {key: self._places.missing(key.removeprefix("404 ")) for key in ranked}
            elif here := self._places.for_kind(kind):
                self.mapping |= {key: here[rank % len(here)] for rank, key in enumerate(ranked)}
            else:
                told.unmapped, told.examples = told.asked, ranked[:EXAMPLES]
            told.places = len({self.mapping[key] for key in ranked if key in self.mapping})
            kinds.append(told)
        return kinds

    def place_of(self, target: str, status: int) -> str | None:
        """None where this site has nothing of the kind. Of a query stays what campaigns and readers add, which any site bears."""
        kind, key = _key(target, status)
        place = self.mapping.get(key)
        if place is None or kind == "not found":
            return place
        kept = [(name, value) for name, value in parse_qsl(target.partition("?")[2]) if _FOR_ANY_SITE.fullmatch(name)]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(kept)}" if kept else place


def _key(target: str, status: int) -> tuple[str, str]:
    """The kind of an address, and its name in the mapping: of feeds with their query, which says what they are."""
    path = target.partition("?")[0]
    if status in NOT_FOUND:
        return "not found", f"404 {path}"
    kind = kind_of(target)
    return kind, target if kind == "feed" else path
