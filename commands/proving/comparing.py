"""Quiescence: nobody writes any more, and everything that is remembered is what MySQL holds."""

from typing import Any

from cache import Cache, Slot, records
from cache.aside import MISSING
from cache.pages import Pages
from cache.slots import family_of
from commands.proving.ledger import KEYS, NAMES, SHELVES
from commands.proving.notes import CENSUS, NAMED, NOTE, ON_SHELF, Note, Notes, spelt
from commands.proving.polls import IDS
from commands.proving.reader import Page
from models.base import Pointer
from models.results import BY_POLL, Result, Results

_CLASSES: dict[str, Any] = {NOTE.family: Note, BY_POLL.family: Result}  # all others: Pointer
Pair = tuple[str, Any, Any]  # what was compared, what it says, what MySQL says


class Truth:
    """What MySQL holds, and so what each slot must say."""

    def __init__(self, notes: list[Note], results: list[Result]) -> None:
        self.by_id = {note.id: note for note in notes}
        self.by_name = {note.name: note for note in notes}
        self.rows: dict[Slot, Any] = {NOTE(key): self.by_id.get(key) for key in range(1, KEYS + 1)}
        for name in range(1, NAMES + KEYS + 1):
            note = self.by_name.get(name)
            self.rows[NAMED(spelt(name))] = Pointer(note.id) if note else None
        self.results = {result.poll_id: result for result in results}
        self.rows |= {BY_POLL(id): self.results.get(id) for id in IDS}
        self.lists: dict[Slot, tuple[int, ...]] = {
            ON_SHELF(shelf): self.shelf(shelf) for shelf in range(1, SHELVES + 1)
        }
        self.lists[CENSUS()] = tuple(number for key in sorted(self.by_id) for number in (key, self.by_id[key].version))

    def shelf(self, shelf: int) -> tuple[int, ...]:
        return tuple(sorted(note.id for note in self.by_id.values() if note.shelf == shelf))


async def truth(notes: Notes, cache: Cache) -> Truth:
    results = Results(notes.db, cache).fresh()
    return Truth(await notes.fresh().many(range(1, KEYS + 1)), await results.many(IDS))


async def differences(notes: Notes, cache: Cache, pages: Pages[Page]) -> dict[str, Any]:
    """This process' L1, its pages, and its answers, beside MySQL: how many were compared, and what differs."""
    right = await truth(notes, cache)
    pairs = [*_at_home(right, cache), *await _rendered(right, pages), *await _answered(right, notes, cache)]
    wrong = [f"{what}: {value}, MySQL: {wanted}" for what, value, wanted in pairs if value != wanted]
    return {"compared": len(pairs), "wrong": wrong}


def _at_home(right: Truth, cache: Cache) -> list[Pair]:
    """What this process would answer by itself."""
    found: list[Pair] = []
    for slot, row in right.rows.items():
        if (value := cache.near(slot.name)) is not MISSING:
            found.append((f"L1 {slot.name}", value, row))
    for slot, wanted in right.lists.items():
        if (value := cache.near(slot.name)) is not MISSING:
            found.append((f"L1 {slot.name}", value[0], wanted))
    return found


async def _rendered(right: Truth, pages: Pages[Page]) -> list[Pair]:
    found: list[Pair] = []
    for shelf in range(1, SHELVES + 1):
        wanted, key = tuple(right.by_id[id] for id in right.shelf(shelf)), f"prove:{shelf}"
        for how, page in (("as it is", pages.get(key)), ("checked", await pages.check(key))):
            if page is not None:
                found.append((f"page of shelf {shelf}, {how}", page.notes, wanted))
    return found


async def _answered(right: Truth, notes: Notes, cache: Cache) -> list[Pair]:
    """What a reader would be told."""
    results = Results(notes.db, cache)
    return [
        *[(f"shelf {s}", await notes.ids_on_shelf(s), right.shelf(s)) for s in range(1, SHELVES + 1)],
        *[(f"note {key}", await notes.find(key), right.by_id.get(key)) for key in range(1, KEYS + 1)],
        *[(f"name {n}", await notes.named(n), right.by_name.get(n)) for n in range(1, NAMES + KEYS + 1)],
        *[(f"result {id}", await results.find(id), right.results.get(id)) for id in IDS],
        ("census", await notes.census(), right.lists[CENSUS()]),
    ]


async def of_redis(notes: Notes, cache: Cache) -> dict[str, Any]:
    """Every key in Redis beside MySQL, and the leases and tombstones that still stand.

    A list whose stamps are not its scopes' generations cannot be read, so it cannot be wrong.
    """
    right = await truth(notes, cache)
    slots = [*right.rows, *right.lists]
    scopes = {scope.name: scope for slot in slots for scope in slot.scopes}
    found = await cache.link.get([slot.name for slot in slots] + list(scopes))
    if found is None:
        return {"compared": 0, "wrong": ["Redis does not answer"], "stuck": []}
    generations = {name: records.generation(data) for name, data in zip(scopes, found[len(slots) :], strict=True)}
    wrong, stuck, compared = [], [], 0
    for slot, data in zip(slots, found, strict=False):
        if data is None:
            continue
        if (kind := data[:1]) in (b"T", b"L"):
            stuck.append(f"{slot.name}: {kind.decode()}")
            continue
        compared += 1
        wanted = right.lists.get(slot, right.rows.get(slot))
        if slot in right.rows:
            cls = _CLASSES.get(family_of(slot.name), Pointer)
            value = None if data == records.ABSENT else records.decode_row(cls, data)
        else:
            stamps, value = records.decode_list(data)
            if stamps != tuple(generations[scope.name] for scope in slot.scopes):
                continue
        if value != wanted:
            wrong.append(f"L2 {slot.name}: {value}, MySQL: {wanted}")
    return {"compared": compared, "wrong": wrong, "stuck": stuck}
