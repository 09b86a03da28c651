"""The list of posts: filters in its address, actions on one and on many, and ten minutes to undo them."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from models import Models
from models.audit import entries
from models.batches import UNDO_FOR
from models.check import check
from models.imports import Imported
from models.posts import Post
from models.writing import Draft
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

LIST = "/manage/blogs"


async def write(
    models: Models, people: People, *titles: str, publish: bool = True, tags: tuple[str, ...] = ()
) -> list[Post]:
    return [
        await models.writing.create(Draft(title, "", "Text.", tags), by=people.alice, publish=publish)
        for title in titles
    ]


def titles(answer: Answer) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', answer.text)


async def test_the_last_changed_comes_first(alice: Browser, models: Models, people: People) -> None:
    first, _ = await write(models, people, "One", "Two")
    assert titles(await alice.get(LIST)) == ["Two", "One"]

    await models.writing.edit(first.id, Draft("One again", "", "More.", ()), by=people.alice)

    assert titles(await alice.get(LIST)) == ["One again", "Two"]


async def test_imports_stand_in_the_order_of_their_dates_not_of_their_files(alice: Browser, models: Models) -> None:
    for name, year in (("a", 2020), ("b", 2024), ("c", 2022)):
        at = datetime(year, 1, 1, tzinfo=UTC)
        await models.imports.post(Imported(f"{name}.md", name, "", "Text.", (), "Ruth", None, at, (), name))

    assert titles(await alice.get(LIST)) == ["b", "c", "a"]
    assert titles(await alice.get(f"{LIST}?sort=published")) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Draft", "Plan", "Shown"]),
        ("?status=draft", ["Draft"]),
        ("?status=trashed", ["Gone"]),
        ("?status=scheduled", ["Plan"]),
        ("?tag=red", ["Shown"]),
        ("?tag=%23RED", ["Shown"]),
        ("?q=shown", ["Shown"]),
        ("?q=text", ["Draft", "Plan", "Shown"]),
        ("?q=text&status=trashed", ["Gone"]),
        ("?q=text&tag=red", ["Shown"]),
        ("?q=nothinglikeit", []),
        ("?q=%22%25%5C", []),
        ("?tag=green", []),
        ("?author=ali", ["Draft", "Plan", "Shown"]),
        ("?author=Bob", []),
        ("?author=%25", []),
        ("?author=Ali&tag=red&status=published", ["Shown"]),
        ("?status=draft&tag=red", []),
        ("?sort=published", ["Plan", "Shown"]),
        ("?from=2020-01-01&to=9998-01-01", ["Draft", "Plan", "Shown"]),
        ("?to=2020-01-01", []),
        ("?from=nonsense&to=", ["Draft", "Plan", "Shown"]),
    ],
)
async def test_filters_by_the_address(
    alice: Browser, models: Models, people: People, query: str, found: list[str]
) -> None:
    await write(models, people, "Shown", tags=("red",))
    gone, plan = await write(models, people, "Gone", "Plan", publish=False)
    await models.publishing.schedule(plan.id, datetime.now(UTC) + timedelta(days=9), by=people.alice)
    await models.publishing.trash(gone.id, by=people.alice)
    await write(models, people, "Draft", publish=False)

    answer = await alice.get(LIST + query)

    assert answer.status == 200
    assert titles(answer) == found


async def test_a_tags_posts_follow_their_changes(alice: Browser, models: Models, people: People) -> None:
    first, second, third = await write(models, people, "One", "Two", "Three", tags=("red",))

    await models.writing.edit(first.id, Draft("One", "", "More.", ("red",)), by=people.alice)
    await models.publishing.act("trash", [third.id], by=people.alice)

    assert titles(await alice.get(f"{LIST}?tag=red")) == ["One", "Two"]
    assert titles(await alice.get(f"{LIST}?tag=red&status=trashed")) == ["Three"]
    assert titles(await alice.get(f"{LIST}?tag=red&sort=published")) == [second.title, first.title]
    assert await check(models.db) == []


async def test_a_tag_and_an_author_of_very_many_posts_are_looked_up(
    alice: Browser, models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.managing.FEW", 0)
    await write(models, people, "a", "b", "c", tags=("red",))
    await write(models, people, "d")

    for author in ("A", "Alice"):
        assert titles(await alice.get(f"{LIST}?tag=red&author={author}")) == ["c", "b", "a"]
    assert titles(await alice.get(f"{LIST}?tag=red&author=Bob")) == []


@pytest.mark.parametrize("query", ["?status=lost", "?sort=title", "?after=x", "?before=1.2.3", "?n=x&done=trash"])
async def test_an_address_that_no_list_has_is_not_found(alice: Browser, query: str) -> None:
    assert (await alice.get(LIST + query)).status == 404


async def test_filters_stay_in_the_links_to_other_sheets(alice: Browser, models: Models, people: People) -> None:
    await write(models, people, *(f"Post {n}" for n in range(52)), tags=("red",))

    first = await alice.get(f"{LIST}?tag=red&sort=published")
    (onward,) = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = await alice.get(onward.replace("&amp;", "&"))

    assert parse_qs(urlsplit(onward.replace("&amp;", "&")).query).keys() == {"tag", "sort", "after"}
    assert titles(second) == ["Post 1", "Post 0"]
    (back,) = re.findall(r'href="([^"]+)" rel="prev"', second.text)
    assert titles(await alice.get(back.replace("&amp;", "&"))) == titles(first)


async def test_many_posts_are_trashed_at_once_and_come_back(alice: Browser, models: Models, people: People) -> None:
    made = await write(models, people, "One", "Two", "Three")
    ids = "&".join(f"ids={post.id}" for post in made[:2])

    answer = await alice.request(
        "POST", f"{LIST}?status=published", body=f"action=trash&{ids}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"}, follow=True,
    )  # fmt: skip
    assert titles(answer) == ["Three"]
    assert "2 posts are in the trash." in answer.text
    assert "status=published" in answer.path

    (batch,) = re.findall(r'name="undo" value="(\d+)"', answer.text)
    answer = await alice.post(f"{LIST}?status=published", {"undo": batch}, follow=True)
    assert set(titles(answer)) == {"One", "Two", "Three"}
    assert "Undone" in answer.text
    assert {post.published_at for post in await models.posts.fresh().many([p.id for p in made])} == {
        post.published_at for post in made
    }


async def test_a_rows_own_button_acts_on_it_alone(alice: Browser, models: Models, people: People) -> None:
    one, two = await write(models, people, "One", "Two")

    answer = await alice.post(LIST, {"one": f"unpublish.{one.id}", "ids": str(two.id), "action": "trash"}, follow=True)

    assert "1 post is a draft again." in answer.text
    assert [p.status for p in await models.posts.fresh().many([one.id, two.id])] == ["draft", "published"]


async def test_what_it_does_not_apply_to_is_counted(alice: Browser, models: Models, people: People) -> None:
    (one,) = await write(models, people, "One", publish=False)
    (two,) = await write(models, people, "Two")

    done = await models.publishing.act("unpublish", [one.id, two.id], by=people.alice)
    answer = await alice.post(LIST, {"one": f"unpublish.{one.id}"}, follow=True)

    assert done.left == (one.id,)
    assert "Nothing was changed." in answer.text
    assert 'name="undo"' not in answer.text


async def test_what_is_published_already_stays_as_it_is(alice: Browser, models: Models, people: People) -> None:
    one, two = await write(models, people, "One", "Two")
    await models.publishing.unpublish(two.id, by=people.alice)

    done = await models.publishing.act("publish", [one.id, two.id], by=people.alice)

    assert ([post.id for post in done.posts], done.left) == ([two.id], (one.id,))
    assert await models.posts.fresh().one(one.id) == one
    assert await models.publishing.publish(one.id, by=people.alice) == one


@pytest.mark.parametrize("form", [{}, {"action": "trash"}, {"ids": "1"}])
async def test_nothing_chosen_changes_nothing(
    alice: Browser, models: Models, people: People, form: dict[str, str]
) -> None:
    await write(models, people, "One")

    answer = await alice.post(LIST, form, follow=True)

    assert "choose some rows" in answer.text
    assert titles(answer) == ["One"]


@pytest.mark.parametrize(
    "form", [{"one": "burn.1"}, {"action": "burn", "ids": "1"}, {"one": "trash.x"}, {"ids": "-1", "action": "trash"}]
)
async def test_what_no_form_sends_is_refused(alice: Browser, form: dict[str, str]) -> None:
    assert (await alice.post(LIST, form)).status == 422


async def test_undo_is_ones_own_and_ends_after_ten_minutes(
    alice: Browser, ada: Browser, models: Models, people: People
) -> None:
    (one,) = await write(models, people, "One")
    batch = (await models.publishing.act("trash", [one.id], by=people.alice)).batch

    assert "no longer be undone" in (await ada.post(LIST, {"undo": str(batch)}, follow=True)).text
    async with models.db.connection() as connection:
        await connection.execute("UPDATE batches SET at = %s", datetime.now(UTC) - UNDO_FOR)
    assert "no longer be undone" in (await alice.post(LIST, {"undo": str(batch)}, follow=True)).text
    assert (await models.posts.fresh().one(one.id)).status == "trashed"


async def test_undo_leaves_alone_what_has_changed_since(alice: Browser, models: Models, people: People) -> None:
    one, two = await write(models, people, "One", "Two")
    batch = (await models.publishing.act("unpublish", [one.id, two.id], by=people.alice)).batch
    await models.writing.edit(one.id, Draft("One, changed", "", "New.", ()), by=people.ada)

    answer = await alice.post(LIST, {"undo": str(batch)}, follow=True)

    assert "1 stayed as it was." in answer.text
    assert [p.status for p in await models.posts.fresh().many([one.id, two.id])] == ["draft", "published"]


async def test_every_change_is_in_the_log(alice: Browser, models: Models, people: People) -> None:
    (one,) = await write(models, people, "One")

    await alice.post(LIST, {"one": f"trash.{one.id}"})

    (entry,) = await entries(models.db, action="post.trash")
    assert (entry.actor_id, entry.target, entry.was, entry.became) == (
        people.alice.id, f"post {one.id}", {"status": "published"}, {"status": "trashed"},
    )  # fmt: skip
    assert str(entry.ip) == "127.0.0.1"
