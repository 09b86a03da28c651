"""The editor: what is typed is never lost, and two editors are told of each other."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from models import Models
from models.imports import Imported
from tests.handlers.editing import FORM, MINE, draft, edit, form_of
from tests.harness.browser import Answer, Browser
from tests.harness.people import People


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
