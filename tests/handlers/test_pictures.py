"""The picture beside a member's name: chosen, cut, shown, removed, and gone when its file is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models import Models
from models.audit import entries
from models.errors import Forbidden
from models.uploads import Box
from tests.harness.browser import Answer, Browser
from tests.harness.files import form, png, stored
from tests.harness.people import People


async def chosen(browser: Browser, name: str = "me.png", data: bytes = b"", *, follow: bool = True) -> Answer:
    body, headers = form(name, data or png(300, 200))
    return await browser.request("POST", "/account/picture", body=body, headers=headers, follow=follow)


async def image_of(models: Models, people: People) -> str:
    return (await models.users.fresh().one(people.bob.id)).image


async def test_a_member_chooses_a_picture_that_is_cut_to_a_square(
    models: Models, people: People, bob: Browser, visitor: Browser
) -> None:
    page = await chosen(bob)
    assert "Your picture is changed." in page.text
    image = await image_of(models, people)
    assert re.fullmatch(r"/i/[0-9a-f]{32}\.\w+", image)
    file = await models.files.named(image.removeprefix("/i/"))

    assert file.owner_id == people.bob.id
    assert file.width == file.height
    assert 0 < (file.width or 0) <= 256
    assert f'src="{image}"' in (await visitor.get(f"/user/{people.bob.id}")).text
    assert (await bob.get("/api/v1/me?on=/")).json()["user"]["image"] == image


async def test_it_is_removed_and_the_file_stays(models: Models, people: People, bob: Browser) -> None:
    await chosen(bob)
    image = await image_of(models, people)
    page = await bob.post("/account/picture/remove", follow=True)

    assert "Your picture is gone." in page.text
    assert await image_of(models, people) == ""
    assert (await models.files.named(image.removeprefix("/i/"))).owner_id == people.bob.id


@pytest.mark.parametrize("way", ["page", "api", "copy"])
@pytest.mark.parametrize("who", ["bob", "olga"])
async def test_it_goes_with_its_file(
    models: Models, people: People, bob: Browser, browse: Callable[[], Browser], who: str, way: str
) -> None:
    await chosen(bob)
    other = (await models.files.of_owner(people.bob.id))[0]
    await chosen(bob, data=png(64, 64, "red"))
    file = await models.files.named((await image_of(models, people)).removeprefix("/i/"))
    user = people.named(who)
    assert user
    browser = await browse().sign_in(user)
    place = "/account/files" if who == "bob" else "/manage/files"
    await browser.post(place, {"one": f"trash.{other.id}"})
    assert await image_of(models, people) == f"/i/{file.stored_name}"

    if way == "copy":  # nothing keeps an address of one from being there
        copy = await models.uploads.resized(file, Box(8, 8), by=people.bob)
        await models.users.set_image(people.bob.id, f"/i/{copy.stored_name}", by=people.bob)
    before = await models.users.by_id(people.bob.id)
    if way == "api":
        await browser.request("DELETE", f"/api/v1/files/{file.stored_name}")
    else:
        await browser.post(place, {"one": f"trash.{file.id}"})

    assert await image_of(models, people) == ""
    after = await models.users.by_id(people.bob.id)  # what is remembered is the same
    assert (after.image, after.version) == ("", before.version + 1)
    (entry, *_) = await entries(models.db, target=f"user {people.bob.id}")
    assert (entry.actor_id, entry.was, entry.became) == (
        user.id, {"image": before.image}, {"image": ""},
    )  # fmt: skip


async def test_it_has_no_end_and_goes_when_its_file_had_one(models: Models, people: People, bob: Browser) -> None:
    body, headers = form("me.png", png(64, 64), expires="1h")
    answer = await bob.request("POST", "/account/picture", body=body, headers=headers)
    assert answer.status == 422
    assert await models.files.of_owner(people.bob.id) == []
    file = await stored(models, people.bob, "short.png", png(8, 8), expires=timedelta(microseconds=1))
    await models.users.set_image(people.bob.id, f"/i/{file.stored_name}", by=people.bob)

    assert await models.file_clearing.expire(datetime.now(UTC), most=10) == 1
    assert await image_of(models, people) == ""


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt", b"words"), ("a.png", b"\x89PNG\r\n\x1a\nbroken"), ("", b"x"), ("a.svg", b"<svg/>")],
)
async def test_what_is_no_picture_is_refused_beside_its_field(
    models: Models, people: People, bob: Browser, name: str, data: bytes
) -> None:
    page = await chosen(bob, name, data)

    assert 400 <= page.status < 500
    assert 'id="page-file-error"' in page.text
    assert await image_of(models, people) == ""
    assert await models.files.of_owner(people.bob.id) == []


async def test_the_picture_is_changed_by_its_owner_and_operators_alone(
    models: Models, people: People, visitor: Browser
) -> None:
    assert (await chosen(visitor)).status == 401
    users = models.users
    with pytest.raises(Forbidden):
        await users.set_image(people.bob.id, "/i/x", by=people.alice)
    await users.set_image(people.bob.id, "/i/x", by=people.bob)
    await users.set_image(people.bob.id, "", by=people.olga)
    assert await image_of(models, people) == ""
