"""The editor: what is typed is never lost, two editors are told of each other, a post appears when it should."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Models
from models.imports import Imported
from models.posts import Post
from models.writing import Draft
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

FORM = {"title": "A title", "summary": "", "body": "Some *text*.", "tags": "red", "action": "save"}
MINE = "My very own words, typed for an hour."


async def draft(
    models: Models, people: People, title: str = "Old", body: str = "Old text.", *, publish: bool = False
) -> Post:
    return await models.writing.create(Draft(title, "S", body, ("red",)), by=people.alice, publish=publish)


def form_of(answer: Answer) -> dict[str, str]:
    """The editor's form as a browser would send it."""
    fields = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', answer.text))
    fields |= {
        name: value for value, name in re.findall(r'<input[^>]* value="([^"]*)"[^>]* name="(title|tags)"', answer.text)
    }
    fields |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', answer.text, re.S))
    return {name: html.unescape(value) for name, value in fields.items()}


def edit(post: Post, **changes: str) -> dict[str, str]:
    return {**FORM, "id": str(post.id), "version": str(post.version), **changes}


async def test_the_form_shows_the_text_beside_what_readers_will_see(
    alice: Browser, models: Models, people: People
) -> None:
    post = await draft(models, people, body="Old *text*.")

    answer = await alice.get(f"/manage/blogs/edit?id={post.id}")

    assert form_of(answer)["body"] == "Old *text*."
    assert "<p>Old <em>text</em>.</p>" in answer.text


async def test_without_script_a_button_shows_what_readers_will_see_and_saves_nothing(
    alice: Browser, models: Models, people: People
) -> None:
    post = await draft(models, people)

    for path, form in (("/manage/blogs/create", {}), (f"/manage/blogs/edit?id={post.id}", {"version": "1"})):
        answer = await alice.post(path, {**FORM, **form, "action": "preview"})
        assert answer.status == 200
        assert "<p>Some <em>text</em>.</p>" in answer.text
        assert form_of(answer)["body"] == FORM["body"]
    assert (await models.posts.fresh().one(post.id)).version == 1


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))"]
)
async def test_the_live_preview_is_sanitised(alice: Browser, body: str) -> None:
    answer = await alice.post("/manage/blogs/render", {"body": body})

    assert answer.status == 200
    assert "<script" not in answer.text
    assert "onerror" not in answer.text
    assert 'href="javascript' not in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_another_sites_form_gets_no_preview(alice: Browser) -> None:
    answer = await alice.post("/manage/blogs/render", {"body": "x"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403
    assert answer.body == b""


async def typed(browser: Browser, of: int, base: int, **changes: Any) -> Answer:
    value = {
        "id": str(of),
        "version": str(base),
        "title": "Typed",
        "summary": "",
        "tags": "",
        "body": MINE,
        **changes,
    }
    return await browser.post_json("/manage/blogs/autosave", value)


@pytest.mark.parametrize("new", [True, False])
async def test_what_was_typed_is_offered_and_restored(
    alice: Browser, models: Models, people: People, new: bool
) -> None:
    post = await draft(models, people)
    id, path = (0, "/manage/blogs/create?") if new else (post.id, f"/manage/blogs/edit?id={post.id}&")
    assert (await typed(alice, id, 1)).status == 200

    offered = await alice.get(path)
    restored = await alice.get(f"{path}typed=1")

    assert "You have unsaved text from" in offered.text
    assert MINE not in offered.text
    assert form_of(restored)["body"] == MINE
    assert form_of(restored)["title"] == "Typed"


async def test_what_was_typed_is_the_editors_own(alice: Browser, ada: Browser, models: Models, people: People) -> None:
    post = await draft(models, people)
    await typed(alice, post.id, 1)

    assert "You have unsaved text" not in (await ada.get(f"/manage/blogs/edit?id={post.id}")).text


async def test_saving_ends_what_was_typed(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people)
    await typed(alice, post.id, 1)
    await typed(alice, 0, 0)

    await alice.post("/manage/blogs/edit", edit(post))
    await alice.post("/manage/blogs/create", FORM)

    assert "You have unsaved text" not in (await alice.get(f"/manage/blogs/edit?id={post.id}")).text
    assert "You have unsaved text" not in (await alice.get("/manage/blogs/create")).text


async def test_what_was_typed_is_thrown_away_only_when_asked(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people)
    await typed(alice, post.id, 1)

    answer = await alice.post("/manage/blogs/discard", {"id": str(post.id)}, follow=True)

    assert "The unsaved text is gone." in answer.text
    assert await models.revisions.typed(people.alice.id, post.id) is None


async def test_typing_what_is_saved_already_is_not_unsaved(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people)
    await typed(alice, post.id, 1, title="Old", summary="S", tags="red", body="Old text.")

    assert "You have unsaved text" not in (await alice.get(f"/manage/blogs/edit?id={post.id}")).text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"id": "x"}, 422),
        ({"version": "-1"}, 422),
        ({"id": "999"}, 404),
        ({"body": 5}, 422),
        ({"title": "x" * 999}, 200),
    ],
)
async def test_what_the_script_would_not_send(alice: Browser, changes: dict[str, Any], status: int) -> None:
    assert (await typed(alice, 0, 0, **changes)).status == status


async def test_two_editors_are_told_and_nothing_is_lost(
    alice: Browser, ada: Browser, models: Models, people: People
) -> None:
    post = await draft(models, people, body="One line.\n\nThe other line.")
    await ada.post("/manage/blogs/edit", edit(post, body="One line.\n\nTheir other line."))

    answer = await alice.post("/manage/blogs/edit", edit(post, title="Mine", body=f"One line.\n\n{MINE}"))

    assert answer.status == 409
    assert "Ada saved this post" in answer.text
    assert form_of(answer)["body"] == f"One line.\n\n{MINE}"
    assert re.search(r'<p class="removed">.*Their other line\.', answer.text)
    assert re.search(rf'<p class="added">.*{MINE}', answer.text)
    assert re.search(r"<del>The</del>|<ins>Their</ins>", answer.text), "what they changed since"
    assert (await models.bodies.fresh().one(post.id)).md == "One line.\n\nTheir other line."

    theirs = await alice.get(f"/manage/blogs/edit?id={post.id}")
    assert "You have unsaved text" in theirs.text, "taking theirs keeps mine"

    form = form_of(answer)
    saved = await alice.post("/manage/blogs/edit", {**form, "action": "save"})
    assert saved.status == 303
    assert (await models.bodies.fresh().one(post.id)).md == f"One line.\n\n{MINE}"
    kept = [await models.revisions.one(r.id) for r in await models.revisions.of_post(post.id)]
    assert "Their other line." in kept[1].md


async def test_a_third_save_in_between_is_told_again(
    alice: Browser, ada: Browser, models: Models, people: People
) -> None:
    post = await draft(models, people)
    await ada.post("/manage/blogs/edit", edit(post, body="Theirs."))
    form = form_of(await alice.post("/manage/blogs/edit", edit(post, body=MINE)))
    await ada.post("/manage/blogs/edit", edit(post, body="Theirs again.", version="2"))

    answer = await alice.post("/manage/blogs/edit", {**form, "action": "save"})

    assert answer.status == 409
    assert form_of(answer)["body"] == MINE


async def test_a_state_that_changed_meanwhile_is_no_conflict(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people)
    await models.publishing.publish(post.id, by=people.ada)

    answer = await alice.post("/manage/blogs/edit", edit(post, body=MINE))

    assert answer.status == 303
    assert (await models.posts.fresh().one(post.id)).status == "published"
    assert (await models.bodies.fresh().one(post.id)).md == MINE


@pytest.mark.parametrize("version", ["", "x", "0", "999", "9" * 30])
async def test_a_form_without_its_version_saves_over_nobody(alice: Browser, models: Models, version: str) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    await models.imports.post(Imported("a.md", "A", "", "Theirs.", (), "Ruth", None, at, (), "a"))
    (post,) = await models.posts.managed()

    answer = await alice.post("/manage/blogs/edit", edit(post, body=MINE, version=version))

    assert answer.status == 409
    assert form_of(answer)["body"] == MINE
    assert (await models.bodies.fresh().one(post.id)).md == "Theirs."


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"title": ""}, "A post needs a title."), ({"tags": ",".join(f"t{n}" for n in range(11))}, "at most 10 tags")],
)
async def test_what_is_wrong_stands_beside_its_field_and_the_text_stays(
    alice: Browser, models: Models, people: People, changes: dict[str, str], words: str
) -> None:
    post = await draft(models, people)

    for path, form in (("/manage/blogs/create", FORM), ("/manage/blogs/edit", edit(post))):
        answer = await alice.post(path, {**form, "body": MINE, **changes})
        assert answer.status == 422
        assert words in answer.text
        assert form_of(answer)["body"] == MINE


async def test_an_ended_session_loses_no_text(alice: Browser, models: Models, people: People) -> None:
    alice.cookies.clear()

    answer = await alice.post("/manage/blogs/create", {**FORM, "body": MINE})

    assert answer.status == 401
    assert MINE in answer.text


async def test_a_lost_role_or_post_loses_no_text(bob: Browser, alice: Browser) -> None:
    lost_role = await bob.post("/manage/blogs/create", {**FORM, "body": MINE})
    lost_post = await alice.post("/manage/blogs/edit", {**FORM, "id": "4711", "version": "1", "body": MINE})

    assert (lost_role.status, lost_post.status) == (403, 404)
    assert MINE in lost_role.text
    assert MINE in lost_post.text


async def test_mysql_away_loses_no_text(mysql_wire: Any, alice: Browser) -> None:
    await mysql_wire.cut()

    answer = await alice.post("/manage/blogs/create", {**FORM, "body": MINE})

    assert answer.status == 503
    assert MINE in answer.text


async def test_what_another_sites_form_brought_is_not_offered_for_sending(alice: Browser) -> None:
    answer = await alice.post("/manage/blogs/create", {**FORM, "body": MINE}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403
    assert MINE not in answer.text


@pytest.mark.parametrize("choices", [{"time_zone": "Asia/Shanghai"}])
async def test_a_time_is_of_the_sites_zone(alice: Browser, models: Models) -> None:
    local = datetime.now(UTC) + timedelta(days=2, hours=8)

    answer = await alice.post(
        "/manage/blogs/create", {**FORM, "action": "schedule", "at": f"{local:%Y-%m-%dT%H:%M}"}, follow=True
    )

    assert "Saved and scheduled." in answer.text
    assert "Asia/Shanghai" in answer.text
    assert f'value="{local:%Y-%m-%dT%H:%M}"' in answer.text
    (post,) = await models.posts.managed(status="scheduled")
    assert post.published_at == (local - timedelta(hours=8)).replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("", "Give a date and a time"), ("tomorrow", "Give a date and a time"), ("2020-01-01T10:00", "still to come"),
        ("2030-03-31T02:30", "does not exist"), ("2030-01-01T10:00+05:00", "Give a date and a time"),
        ("0001-01-01T00:00", "Give"), ("9999-12-31T23:59", "Give"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("choices", [{"time_zone": "Europe/Berlin"}])
async def test_a_wrong_time_saves_nothing_and_keeps_the_text(
    alice: Browser, models: Models, at: str, words: str
) -> None:
    answer = await alice.post("/manage/blogs/create", {**FORM, "body": MINE, "action": "schedule", "at": at})

    assert answer.status == 422
    assert words in answer.text
    assert form_of(answer)["body"] == MINE
    assert await models.posts.managed() == []


async def test_a_scheduled_post_keeps_its_time_when_it_is_edited(
    alice: Browser, models: Models, people: People
) -> None:
    at = datetime.now(UTC) + timedelta(days=3)
    post = await models.publishing.schedule((await draft(models, people)).id, at, by=people.alice)

    await alice.post("/manage/blogs/edit", edit(post, body=MINE))

    after = await models.posts.fresh().one(post.id)
    assert (after.status, after.published_at) == ("scheduled", post.published_at)


async def test_an_imported_posts_own_words_are_its_first_revision(
    alice: Browser, models: Models, people: People
) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    await models.imports.post(Imported("a.md", "A", "", "Ruth's words.", ("x",), "Ruth", None, at, (), "a"))
    (post,) = await models.posts.managed()

    await alice.post("/manage/blogs/edit", edit(post, body=MINE))
    await models.imports.post(Imported("a.md", "A", "", "Ruth's new words.", ("x",), "Ruth", None, at, (), "a"))

    kept = [(await models.revisions.one(r.id)).md for r in await models.revisions.of_post(post.id)]
    assert kept == ["Ruth's new words.", MINE, "Ruth's words."]


async def test_a_revision_shows_what_it_changed_and_is_restored(alice: Browser, models: Models, people: People) -> None:
    post = await draft(models, people, body="First words.")
    await alice.post("/manage/blogs/edit", edit(post, title="Old", summary="S", body="Second words."))
    newest, first = await models.revisions.of_post(post.id)

    listed = await alice.get(f"/manage/blogs/revisions?id={post.id}")
    changed = await alice.get(f"/manage/blogs/revision?id={newest.id}")
    since = await alice.get(f"/manage/blogs/revision?id={first.id}&to=now")
    restored = await alice.post("/manage/blogs/revision", {"id": str(first.id)}, follow=True)

    assert listed.text.count("What it changed") == 2
    assert "<del>First</del> words." in changed.text
    assert "<ins>Second</ins> words." in since.text
    assert "Removed:" in changed.text, "readable without colour"
    assert form_of(restored)["body"] == "First words."
    assert len(await models.revisions.of_post(post.id)) == 3


async def test_a_draft_is_seen_by_editors_alone(visitor: Browser, bob: Browser, models: Models, people: People) -> None:
    post = await draft(models, people, body=MINE)
    for browser in (visitor, bob):
        for path in (
            f"edit?id={post.id}",
            f"revisions?id={post.id}",
            f"revision?id={post.id}",
            f"preview?id={post.id}",
        ):
            assert MINE not in (await browser.get(f"/manage/blogs/{path}", follow=True)).text
