"""What an administrator edits about the site on a page: its names, words and rules. The settings file gives the rest."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urljoin

from cache import Cache, Key, Slot
from content.markdown import TooLong, render
from models import audit
from models.base import Table
from models.database import Database
from models.errors import Invalid
from models.retrying import retried
from models.roles import ADMINISTER, require
from models.users import User
from settings import Settings


@dataclass(frozen=True, slots=True)
class Words:
    """The rows of the table `site` together: one cached answer, since every page needs all of them."""

    id: int
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """The site as its pages show it.

    `registration`: open, approve, closed. `hold_first_comments`: a new member's wait until one has been approved.
    """

    title: str
    tagline: str
    about: str
    logo: str
    language: str
    registration: str
    hold_first_comments: bool
    url: str = field(default="")


ALL = Key("site", Words, ttl=600)
LIMITS = {"title": 100, "tagline": 200, "about": 20_000, "logo": 500}
CHOICES = {"language": ("en", "zh"), "registration": ("open", "approve", "closed"), "hold_first_comments": ("0", "1")}


def shown_in(words: Words) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (ALL(words.id),)


class Sites(Table[Words]):
    """The table `site`. Its rows are read as one, whose id is 1."""

    key: ClassVar = ALL
    rows_sql: ClassVar = "SELECT name, value FROM site"

    def __init__(self, db: Database, cache: Cache, settings: Settings) -> None:
        super().__init__(db, cache)
        self.defaults = Site(
            title=settings.title, tagline=settings.tagline, about=settings.about, logo="", language=settings.language,
            registration=settings.registration, hold_first_comments=False, url=settings.site_url,
        )  # fmt: skip

    async def _select(self, ids: tuple[Any, ...]) -> dict[Any, Words]:
        rows = await self.db.fetch("SELECT name, value FROM site ORDER BY name")
        return {1: Words(1, tuple((name, value) for name, value in rows))}

    async def now(self) -> Site:
        """The site as it is: what was edited over what the settings say."""
        return over(self.defaults, dict((await self.one(1)).values))

    @retried
    async def edit(self, values: dict[str, str], *, by: User) -> Site:
        """Change the named values; those equal to the settings' are kept as edited all the same. Raises Invalid, Forbidden."""
        values = {name: value.strip() for name, value in values.items() if name in (*LIMITS, *CHOICES)}
        wrong = {name: "This text is too long." for name, most in LIMITS.items() if len(values.get(name, "")) > most}
        wrong |= {
            name: "Choose one of the values."
            for name, of in CHOICES.items()
            if name in values and values[name] not in of
        }
        if not values.get("title", "x"):
            wrong["title"] = "A site needs a title."
        logo = values.get("logo", "")
        if logo and not _is_address(logo):
            wrong["logo"] = "A logo is an address that begins with https:// or /."
        try:
            await asyncio.to_thread(render, values.get("about", "")[: LIMITS["about"]])
        except TooLong as error:
            wrong["about"] = str(error)
        if wrong:
            raise Invalid(wrong)
        async with self.write() as w:
            await require(w, by.id, ADMINISTER)
            was = dict(await w.fetch("SELECT name, value FROM site FOR UPDATE"))
            if values.items() <= was.items():
                return over(self.defaults, was)
            for name, value in sorted(values.items()):
                await w.execute(
                    "INSERT INTO site (name, value) VALUES (%s, %s) "
                    "ON DUPLICATE KEY UPDATE value = VALUES(value), version = version + 1",
                    name, value,
                )  # fmt: skip
            became = {**was, **values}
            await audit.note(w, by.id, "site.edit", "site", was, became)
            w.touch(ALL(1))
        return over(self.defaults, became)


def _is_address(logo: str) -> bool:
    """Whether pages and feeds can name it: they join it to the site's own address, which "//[" would break."""
    try:
        urljoin("https://example.org", logo)
    except ValueError:
        return False
    return logo.startswith(("https://", "/"))


def over(defaults: Site, values: dict[str, str]) -> Site:
    """The defaults with these values in place of theirs."""
    known: dict[str, Any] = {name: value for name, value in values.items() if name in (*LIMITS, *CHOICES)}
    if "hold_first_comments" in known:
        known["hold_first_comments"] = known["hold_first_comments"] == "1"
    return replace(defaults, **known)
