"""Pictures that members ask for at the same time: each in turn, and nobody's many before everybody else's one."""

import asyncio
from pathlib import Path

import pytest

from content.kinds import Found
from models import Models, uploads
from models.errors import Busy
from models.image_work import ImageWork, Write
from models.uploads import Box
from tests.content.pictures import picture
from tests.harness.files import stored
from tests.harness.people import People


async def test_who_asks_for_many_sizes_holds_up_nobody_else(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the many is with the makers of pictures; the others of the same account wait outside, in nobody's way."""
    his = await stored(models, people.bob, "his.png", picture(600, 400))
    hers = await stored(models, people.alice, "hers.png", picture(60, 40))
    resize, asked, one_is_there, hers_is_made = ImageWork.resize, list[Box](), asyncio.Event(), asyncio.Event()

    async def held(work: ImageWork, path: Path, box: Box, write: Write) -> Found:
        asked.append(box)
        one_is_there.set()
        if box.width != 20:
            await hers_is_made.wait()
        return await resize(work, path, box, write)

    monkeypatch.setattr(ImageWork, "resize", held)
    async with asyncio.timeout(20):
        many = [
            asyncio.create_task(models.uploads.resized(his, Box(size, size), by=people.bob)) for size in range(10, 18)
        ]
        await one_is_there.wait()
        await models.uploads.resized(hers, Box(20, 20), by=people.alice)
        hers_is_made.set()

        assert [box.width == 20 for box in asked[:2]] == [False, True]
        await asyncio.gather(*many)
        assert sorted(box.width for box in asked) == [*range(10, 18), 20]


async def test_an_account_has_so_many_pictures_waiting_and_no_more(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_PICTURES", 2)
    file = await stored(models, people.bob, "a.png", picture(60, 40))
    asked = [models.uploads.resized(file, Box(size, size), by=people.bob) for size in (10, 11, 12)]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(one, Busy) for one in found) == 1
    assert (await models.uploads.resized(file, Box(13, 13), by=people.bob)).width == 13
