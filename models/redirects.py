"""Old addresses that lead to new ones: what imported posts were called elsewhere."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote

from cache import Key, Slot
from models.base import Table, Write

LONGEST = 500  # characters of a path


@dataclass(frozen=True, slots=True)
class Redirect:
    path: str
    target: str


BY_PATH = Key("redirect", Redirect, by=("path",), ttl=600)


def shown_in(redirect: Redirect) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (BY_PATH(redirect.path),)


class Redirects(Table[Redirect]):
    key: ClassVar = BY_PATH
    rows_sql: ClassVar = "SELECT path, target FROM redirects WHERE path IN %s"

    async def target(self, path: str) -> str | None:
        """Where an address leads now; with and without a closing slash it is the same."""
        # A file may name its old address as it stands in a browser's field, or as it travels: "/中文" or "/%E4%B8%AD%E6%96%87".
        spellings = {normal(path), normal(unquote(path))}
        found = await self.many([spelling for spelling in spellings if len(spelling) <= LONGEST])
        return found[0].target if found else None

    async def leading_to(self, prefix: str) -> list[Redirect]:
        """All redirects whose target begins so, by a walk through the table: for exports, not for requests."""
        found: list[Redirect] = []
        after = ""
        while rows := await self.db.fetch(
            "SELECT path, target FROM redirects WHERE path > %s ORDER BY path LIMIT 1000", after
        ):
            found += [Redirect(*row) for row in rows if row[1].startswith(prefix)]
            after = rows[-1][0]
        return found


def normal(path: str) -> str:
    """The spelling under which a path is stored: one leading slash, none at the end."""
    return "/" + path.strip("/")


async def lead(w: Write, path: str, target: str) -> None:
    """Make the address lead to `target`, whatever it led to before."""
    redirect = Redirect(normal(path), target)
    await w.execute(
        "INSERT INTO redirects (path, target) VALUES (%s, %s) ON DUPLICATE KEY UPDATE target = VALUES(target)",
        redirect.path, redirect.target,
    )  # fmt: skip
    w.touch(*shown_in(redirect))
