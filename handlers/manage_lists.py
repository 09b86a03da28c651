"""What all lists of the manage pages do alike: filters and place in the address, actions on many rows, and their undoing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, ClassVar, NamedTuple, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from handlers.manage import ManagePage
from models.errors import Invalid, NotFound
from models.sheets import Place, Sheet

Word = TypeVar("Word", bound=str)
LONGEST_FILTER = 200  # characters
_NUMBERS = ("n", "left", "batch")


class Did(NamedTuple):
    """What an action did, as the address of the next page says it: how many rows changed, how many it did not apply to, and
    the batch that undoes it (0: nothing to undo). `action` may also be "nothing" (no row was chosen) or "late" (to undo)."""

    action: str
    n: int = 0
    left: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as its template sees it: `sheet` has the rows; `filters` are those that are set; `did` is to be told."""

    path: str
    filters: dict[str, str]
    place: dict[str, str]
    sheet: Sheet[Any]
    did: Did | None

    @property
    def here(self) -> str:
        """This very sheet: where its forms are sent to."""
        return self._address({**self.filters, **self.place})

    @property
    def next_href(self) -> str:
        return self._address({**self.filters, "after": self.sheet.next}) if self.sheet.next else ""

    @property
    def previous_href(self) -> str:
        return self._address({**self.filters, "before": self.sheet.previous}) if self.sheet.previous else ""

    def href(self, **changes: str | int) -> str:
        """The list from its beginning, with other filters; "" takes one away."""
        return self._address({**self.filters, **{name: str(value) for name, value in changes.items()}})

    def has(self, names: Sequence[str]) -> bool:
        """Whether one of these filters is set."""
        return any(name in self.filters for name in names)

    def without(self, names: Sequence[str]) -> str:
        """The list from its beginning, without these filters."""
        return self.href(**dict.fromkeys(names, ""))

    def _address(self, query: dict[str, str]) -> str:
        query = {name: value for name, value in query.items() if value}
        return f"{self.path}?{urlencode(query)}" if query else self.path


class ManageList(ManagePage):
    """`filters`: the names in the address. `actions`: what POST may do to rows; `act` and `undo` do it.

    A row's own button sends `one=<action>.<id>`; the bar sends `action` and each ticked `ids`; the notice sends `undo=<batch>`.
    """

    filters: ClassVar[tuple[str, ...]] = ()
    actions: ClassVar[tuple[str, ...]] = ()

    def asked(self) -> dict[str, str]:
        """The filters that are set."""
        values = {name: self.get_query_argument(name, "")[:LONGEST_FILTER] for name in self.filters}
        return {name: value for name, value in values.items() if value}

    def asked_status(self, known: tuple[Word, ...], otherwise: tuple[Word, ...]) -> tuple[Word, ...]:
        """The status in the address, as filters of models want it. Raises NotFound for one that does not exist."""
        status = self.asked().get("status")
        found = tuple(word for word in known if word == status)
        if status and not found:
            raise NotFound(f"status {status}")
        return found or otherwise

    def place(self) -> Place | None:
        before, after = self.get_query_argument("before", ""), self.get_query_argument("after", "")
        return Place(before, before=True) if before else Place(after) if after else None

    def listing(self, sheet: Sheet[Any]) -> Listing:
        return Listing(self.request.path, self.asked(), self._place(), sheet, self._told())

    async def post(self) -> None:
        """Do it, then show the same list, saying what was done and offering to undo it."""
        batch = self.get_body_argument("undo", "")
        if batch:
            did = await self._undone(batch)
        else:
            action, ids = self.chosen()
            did = await self.act(action, ids) if ids else Did("nothing")
        told = {"done": did.action, **{name: getattr(did, name) for name in _NUMBERS if getattr(did, name)}}
        query = urlencode({**self.asked(), **self._place(), **told})
        self.redirect(f"{self.request.path}?{query}", status=303)

    async def act(self, action: str, ids: list[int]) -> Did:
        raise NotImplementedError

    async def undo(self, batch: int) -> Did:
        """Raises NotFound when it is too late, or was not this editor's."""
        raise NotImplementedError

    def chosen(self) -> tuple[str, list[int]]:
        """(action, row ids). Raises Invalid for what no form of ours sends."""
        action, _, one = self.get_body_argument("one", "").partition(".")
        ids = [one] if one else self.get_body_arguments("ids")
        action = action or self.get_body_argument("action", "")
        if not all(_is_id(id) for id in ids) or (action and action not in self.actions):
            raise Invalid({"action": "This action is not known here."})
        return action, [int(id) for id in ids] if action else []

    def day(self, text: str) -> datetime | None:
        """The beginning of a day in the site's time zone; None for what is no day."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        zone = ZoneInfo(self.app.settings.time_zone)
        return datetime.combine(day, time.min, zone) if 1000 < day.year < 9999 else None

    async def asked_member(self, name: str) -> int | None:
        """Whom a filter names, by number or whole e-mail address: an id; -1 for an address that nobody has, None when not set."""
        text = self.asked().get(name, "").strip().removeprefix("#")
        if _is_id(text):
            return int(text)
        user = await self.app.models.users.by_email(text) if text else None
        return user.id if user else -1 if text else None

    async def _undone(self, batch: str) -> Did:
        try:
            return await self.undo(int(batch) if _is_id(batch) else 0)
        except NotFound:
            return Did("late")

    def _place(self) -> dict[str, str]:
        place = self.place()
        return {"before" if place.before else "after": place.text} if place else {}

    def _told(self) -> Did | None:
        action = self.get_query_argument("done", "")
        if action not in (*self.actions, "undo", "nothing", "late"):
            return None
        return Did(action, *(min(self.query_number(name), 10**12) for name in _NUMBERS))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
