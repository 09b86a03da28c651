"""Pictures that members ask for at the same time: each in turn, and nobody's many before everybody else's one."""

import asyncio

import pytest

from models import Models, uploads
from models.errors import Busy
from models.file_rows import File
from models.uploads import Box
from models.users import User
from tests.content.pictures import picture
from tests.harness.files import stored
from tests.harness.people import People


async def test_who_asks_for_many_sizes_holds_up_nobody_else(models: Models, people: People) -> None:
    done, first = list[User](), asyncio.Event()

    async def ask(file: File, size: int, by: User) -> None:
        await models.uploads.resized(file, Box(size, size), by=by)
        done.append(by)
        first.set()

    his = await stored(models, people.bob, "his.png", picture(600, 400))
    hers = await stored(models, people.alice, "hers.png", picture(60, 40))
    many = [asyncio.create_task(ask(his, size, people.bob)) for size in range(10, 18)]
    await first.wait()
    await ask(hers, 10, people.alice)

    assert done.index(people.alice) <= 3
    await asyncio.gather(*many)


async def test_an_account_has_so_many_pictures_waiting_and_no_more(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_PICTURES", 2)
    file = await stored(models, people.bob, "a.png", picture(60, 40))
    asked = [models.uploads.resized(file, Box(size, size), by=people.bob) for size in (10, 11, 12)]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(one, Busy) for one in found) == 1
    assert (await models.uploads.resized(file, Box(13, 13), by=people.bob)).width == 13
