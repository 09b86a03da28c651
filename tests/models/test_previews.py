"""Who waits for the beginning of a text file, and for how many of them it is made."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from content.previews import Beginning
from models import Models, previews
from models.errors import Busy, NotFound
from tests.harness.files import stored
from tests.harness.people import People

Key = tuple[str, str]


class Painter:
    """Stands where texts are coloured; each has to wait until it is let go."""

    def __init__(self) -> None:
        self.go, self.asked, self.busy, self.busiest = threading.Event(), list[Key](), 0, 0

    def __call__(self, path: Path, language: str) -> Beginning:
        self.asked.append((path.name, language))
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        self.go.wait(10)
        self.busy -= 1
        return Beginning(path.read_text(), language, 1, True)


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Painter]:
    made = Painter()
    monkeypatch.setattr(previews, "beginning", made)
    yield made
    made.go.set()


async def test_each_text_is_coloured_once_for_all_who_wait_and_one_at_a_time(
    models: Models, people: People, painter: Painter
) -> None:
    one, other = [await stored(models, people.bob, f"{n}.py", n.encode()) for n in ("one", "other")]
    hers = await stored(models, people.alice, "one.py", b"one")
    waiting = [asyncio.create_task(models.previews.of(file)) for file in (one, hers, other) * 4]
    await asyncio.sleep(0.2)
    waiting[0].cancel()  # who began it goes away
    painter.go.set()
    _, *found = await asyncio.gather(*waiting, return_exceptions=True)

    assert [each.html for each in found if isinstance(each, Beginning)] == ["one", "other"] + [
        "one",
        "one",
        "other",
    ] * 3
    assert len(painter.asked) == 2
    assert painter.busiest == 1


async def test_no_more_wait_than_may_and_none_for_ever(
    models: Models, people: People, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST_WAITING", 2)
    monkeypatch.setattr(previews, "PATIENCE", 0.3)
    files = [await stored(models, people.bob, f"{n}.py", b"%d" % n) for n in range(3)]
    waiting = [asyncio.create_task(models.previews.of(file)) for file in files[:2]]
    await asyncio.sleep(0)
    with pytest.raises(Busy, match="too many"):
        await models.previews.of(files[2])
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [Busy, Busy]
    painter.go.set()
    await models.previews.close()

    assert (await models.previews.of(files[2])).html == "2"


async def test_bytes_that_are_gone_are_no_file(models: Models, people: People) -> None:
    file = await stored(models, people.bob, "a.py", b"gone")
    await models.storage.delete(file.sha256, within=5)

    with pytest.raises(NotFound):
        await models.previews.of(file)
