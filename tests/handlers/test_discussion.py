"""Comments by plain forms: what was typed is never lost, and what was deleted is not shown."""

import re

from models import Models
from tests.handlers.conftest import Town
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

TEXT = "My <b>long</b> & careful\n\n  text"
KEPT = "My &lt;b&gt;long&lt;/b&gt; &amp; careful"


def talk_of(town: Town) -> str:
    return f"/blog/{town.post.id}/comments"


def kept(answer: Answer) -> bool:
    return KEPT in answer.text and "text</textarea>" in answer.text


async def test_a_comment_is_shown_at_once_on_the_page_that_follows(town: Town, bob: Browser) -> None:
    answer = await bob.post(talk_of(town), {"body": "Hello **there**"})
    shown = await bob.get(answer.location)
    anchor = answer.location.partition("#")[2]

    assert answer.status == 303
    assert f'id="{anchor}"' in shown.text
    assert "Hello <strong>there</strong>" in shown.text


async def test_a_reply_to_a_reply_becomes_a_reply_to_its_root(town: Town, bob: Browser, models: Models) -> None:
    await bob.post(talk_of(town), {"body": "Third", "parent_id": str(town.reply.id)})
    talk = await models.comments.discussion(town.post.id)

    assert [comment.md for comment in talk.threads[0].replies] == ["Alice answers", "Third"]


async def test_the_text_of_a_visitor_is_kept_until_they_have_signed_in(town: Town, visitor: Browser) -> None:
    answer = await visitor.post(talk_of(town), {"body": TEXT, "parent_id": str(town.talk.id)})

    assert answer.status == 401
    assert kept(answer)
    assert f'value="{town.talk.id}"' in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


async def test_a_text_that_is_refused_is_kept(town: Town, bob: Browser) -> None:
    too_long = await bob.post(talk_of(town), {"body": TEXT + "x" * 10_001})
    empty = await bob.post(talk_of(town), {"body": "   "})
    lost = await bob.post(talk_of(town), {"body": TEXT, "parent_id": "999999"})

    assert [too_long.status, empty.status, lost.status] == [422, 422, 422]
    assert KEPT in too_long.text
    assert kept(lost)


async def test_a_text_that_comes_too_often_is_kept_and_told_when_to_come_back(town: Town, bob: Browser) -> None:
    answers = [await bob.post(talk_of(town), {"body": TEXT}) for _ in range(11)]

    assert [answer.status for answer in answers] == [303] * 10 + [429]
    assert kept(answers[-1])
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[0].headers["RateLimit-Remaining"] == "9"
    assert answers[-1].headers["RateLimit-Limit"] == answers[-1].headers["X-RateLimit-Limit"] == "10"
    assert answers[-1].headers["RateLimit-Remaining"] == "0"


async def test_a_text_whose_post_has_gone_is_kept(town: Town, people: People, bob: Browser, models: Models) -> None:
    await models.publishing.trash(town.post.id, by=people.alice)
    answer = await bob.post(talk_of(town), {"body": TEXT})

    assert answer.status == 404
    assert KEPT in answer.text
    assert "A post" not in re.sub(r"<title>.*?</title>", "", answer.text)


async def test_the_text_of_an_edit_that_is_refused_is_kept(town: Town, bob: Browser) -> None:
    answer = await bob.post(f"/comments/{town.talk.id}/edit", {"body": TEXT + "x" * 10_001})

    assert answer.status == 422
    assert KEPT in answer.text


async def test_a_deleted_comment_leaves_a_place_without_its_words(town: Town, bob: Browser, visitor: Browser) -> None:
    await bob.post(f"/comments/{town.talk.id}/delete")
    page = await visitor.get(town.path)

    assert "Bob says" not in page.text
    assert "Alice answers" in page.text
    for path in ("/api/comments", "/user/2", f"/comments/{town.talk.id}"):
        assert b"Bob says" not in (await visitor.get(path)).body
    assert (await bob.get(f"/comments/{town.talk.id}/edit")).status == 404


async def test_no_script_gets_through_a_comment(town: Town, bob: Browser, visitor: Browser) -> None:
    evil = (
        '<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1)) <a href="//evil.example">y</a>'
    )
    await bob.post(talk_of(town), {"body": evil})
    text = (await visitor.get(town.path)).text

    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert 'href="javascript' not in text


async def test_two_editors_of_one_post_do_not_overwrite_each_other(town: Town, alice: Browser, olga: Browser) -> None:
    path = f"/manage/blogs/edit?id={town.post.id}"
    form = {"title": "By Alice", "summary": "", "body": "x", "tags": "", "version": str(town.post.version)}
    first = await alice.post(path, form)
    second = await olga.post(path, {**form, "title": "By Olga", "body": TEXT})

    assert first.status == 303
    assert second.status == 409
    assert KEPT in second.text
    again = re.search(r'name="version" value="(\d+)"', second.text)
    assert again is not None
    assert (await olga.post(path, {**form, "title": "By Olga", "version": again[1]})).status == 303


async def test_the_words_of_a_post_that_is_refused_are_kept(town: Town, alice: Browser) -> None:
    answer = await alice.post("/manage/blogs/create", {"title": "x" * 201, "summary": "", "body": TEXT, "tags": "a b"})

    assert answer.status == 422
    assert KEPT in answer.text
    assert "x" * 201 in answer.text
