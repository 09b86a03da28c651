"""Polls as editors keep them: made, changed, closed, opened again, thrown away; and all of it undone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.zones import local_text
from models import Models
from models.poll_rules import NewPoll
from tests.handlers.conftest import Town
from tests.handlers.polling import lunch, soon, voted
from tests.handlers.test_manage_people import batch
from tests.harness.browser import Browser
from tests.harness.people import People

TOKYO = "Asia/Tokyo"
FORM = {
    "question": "Tea or coffee?", "choices": "Tea\r\n\r\n  Coffee \r\n咖啡 ☕", "kind": "multiple", "results": "after_vote",
    "visitors": "1", "opens_at": "", "closes_at": "2099-05-01T09:30",
}  # fmt: skip


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"time_zone": TOKYO}


async def test_a_poll_is_made_and_changed_by_plain_forms(models: Models, people: People, alice: Browser) -> None:
    made = await alice.post("/manage/polls/create", FORM, follow=True)
    assert "The poll is there." in made.text
    (poll,) = await models.polls.open()
    assert (poll.question, poll.kind, poll.results, poll.visitors) == ("Tea or coffee?", "multiple", "after_vote", True)
    assert [choice.text for choice in poll.choices] == ["Tea", "Coffee", "咖啡 ☕"]
    assert poll.closes_at == datetime(2099, 5, 1, 0, 30, tzinfo=UTC)

    form = await alice.get(f"/manage/polls/{poll.id}")
    assert 'value="2099-05-01T09:30"' in form.text
    assert "Time zone of the site: Asia/Tokyo." in form.text
    changed = {**FORM, "question": "Juice?", "visitors": "", "closes_at": "", "version": str(poll.version)}
    saved = await alice.post(f"/manage/polls/{poll.id}", changed, follow=True)

    assert "Saved." in saved.text
    became = await models.polls.fresh().one(poll.id)
    assert (became.question, became.visitors, became.closes_at) == ("Juice?", False, None)


async def test_the_change_stands_in_the_log_in_words(
    models: Models, people: People, alice: Browser, olga: Browser
) -> None:
    poll = await lunch(models, people)
    await alice.post(f"/manage/polls/{poll.id}", {**FORM, "version": str(poll.version)})
    await models.polls.close(poll.id, by=people.alice)
    log = (await olga.get("/manage/audit")).text

    for words in (
        "made a poll",
        "changed a poll",
        "closed a poll",
        "after voting",
        "Tea · Coffee · 咖啡 ☕",
        "several choices",
    ):
        assert words in log, words
    assert f'href="/manage/polls/{poll.id}"' in log


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"question": ""}, "A question has 1 to 300 characters."),
        ({"question": "问" * 301}, "A question has 1 to 300 characters."),
        ({"choices": "One"}, "A poll has 2 to 20 choices."), ({"choices": ""}, "A poll has 2 to 20 choices."),
        ({"choices": "\n".join(map(str, range(21)))}, "A poll has 2 to 20 choices."),
        ({"choices": "Tea\ntea"}, "Two choices are the same."),
        ({"choices": "Tea\n" + "x" * 201}, "A choice has 1 to 200 characters."),
        ({"kind": "x"}, "A voter chooses one choice, or several."), ({"kind": ""}, "A voter chooses one choice, or several."),
        ({"results": "x"}, "Results are shown always, after voting, or after the close."),
        ({"opens_at": "soon"}, "Give a date and a time"), ({"closes_at": "2099-13-01T00:00"}, "Give a date and a time"),
        ({"closes_at": "2020-01-01T00:00"}, "Choose a moment that is still to come."),
        ({"opens_at": "2098-01-01T00:00", "closes_at": "2097-01-01T00:00"}, "A poll ends after it has begun."),
        ({"closes_at": "9998-12-31T23:59"}, "This is no date that a poll can have."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(
    people: People, models: Models, alice: Browser, wrong: dict[str, str], words: str
) -> None:
    poll = await lunch(models, people)
    for path in ("/manage/polls/create", f"/manage/polls/{poll.id}"):
        answer = await alice.post(path, {**FORM, **wrong, "version": str(poll.version)})

        assert answer.status == 422
        assert words in answer.text
        assert answer.text.count('class="error"') == 1
        assert "咖啡 ☕" in answer.text or "choices" in wrong
        assert (FORM["question"] in answer.text) != ("question" in wrong)
        assert re.search(r'name="visitors" value="1" checked', answer.text)
    assert [one.question for one in await models.polls.open()] == [poll.question]


async def test_a_field_that_nobody_touched_means_the_very_moment(
    models: Models, people: People, alice: Browser
) -> None:
    """The form knows minutes; what was set to the second does not lose it by a save."""
    begins, ends = soon(days=1), soon(days=2)
    poll = await lunch(models, people, opens_at=begins, closes_at=ends)
    form = {
        **FORM, "version": str(poll.version), "opens_at": local_text(begins, TOKYO), "closes_at": local_text(ends, TOKYO),
    }  # fmt: skip
    assert (await alice.post(f"/manage/polls/{poll.id}", form)).status == 303

    became = await models.polls.fresh().one(poll.id)
    assert (became.question, became.opens_at, became.closes_at) == ("Tea or coffee?", begins, ends)


async def test_once_somebody_has_voted_only_the_end_is_asked_for(
    models: Models, people: People, alice: Browser, bob: Browser
) -> None:
    poll = await lunch(models, people)
    await voted(bob, poll, 1)
    page = await alice.get(f"/manage/polls/{poll.id}")
    assert "Somebody has voted" in page.text
    assert 'name="question"' not in page.text
    assert 'name="closes_at"' in page.text
    assert re.search(r"In the park</th><td>1</td><td>100", page.text)

    end = local_text(datetime.now(ZoneInfo(TOKYO)) + timedelta(days=1), TOKYO)
    saved = await alice.post(f"/manage/polls/{poll.id}", {"closes_at": end, "version": str(poll.version)})
    assert saved.status == 303
    became = await models.polls.fresh().one(poll.id)
    assert (became.question, became.choices) == (poll.question, poll.choices)
    assert became.closes_at
    assert local_text(became.closes_at, TOKYO) == end

    past = await alice.post(
        f"/manage/polls/{poll.id}", {"closes_at": "2020-01-01T00:00", "version": str(became.version)}
    )
    assert past.status == 422
    assert "Choose a moment that is still to come." in past.text
    assert 'value="2020-01-01T00:00"' in past.text


async def test_two_editors_who_change_a_poll_at_once_are_told(
    models: Models, people: People, alice: Browser, olga: Browser
) -> None:
    poll = await lunch(models, people)
    sent = {**FORM, "version": str(poll.version)}
    first = await alice.post(f"/manage/polls/{poll.id}", {**sent, "question": "Alice's?"})
    second = await olga.post(f"/manage/polls/{poll.id}", {**sent, "question": "Olga's?"})

    assert (first.status, second.status) == (303, 409)
    assert "Somebody has changed this" in second.text
    assert "Olga&#39;s?" in second.text
    assert (await models.polls.fresh().one(poll.id)).question == "Alice's?"


async def test_many_are_closed_trashed_and_restored_and_all_of_it_undone(
    models: Models, people: People, alice: Browser, visitor: Browser
) -> None:
    polls = [await lunch(models, people) for _ in range(3)]
    await models.polls.close(polls[2].id, by=people.alice)

    async def states() -> list[str]:
        return [(await models.polls.fresh().one(poll.id)).status for poll in polls]

    async def do(action: str, path: str = "/manage/polls") -> Any:
        body = "&".join([f"action={action}", *(f"ids={poll.id}" for poll in polls)]).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await alice.request("POST", path, body=body, headers=kind, follow=True)

    done = await do("close")
    assert "2 polls are closed. 1 stayed as it was." in done.text
    assert await states() == ["closed"] * 3
    back = await alice.post(done.path, {"undo": batch(done)}, follow=True)
    assert "Undone: 2 are as they were before." in back.text
    assert await states() == ["open", "open", "closed"]

    assert "1 poll is open again. 2 stayed as they were." in (await do("reopen")).text
    done = await do("trash")
    assert "3 polls are in the trash." in done.text
    assert [(await visitor.get(f"/polls/{poll.id}")).status for poll in polls] == [404] * 3
    assert (await alice.get("/manage/polls?status=trashed")).text.count('name="ids"') == 3
    assert "3 polls are out of the trash." in (await do("restore", "/manage/polls?status=trashed")).text
    assert await states() == ["open"] * 3
    again = await alice.post(done.path, {"undo": batch(done)}, follow=True)
    assert "Nothing was changed." in again.text  # they have changed since


async def test_buttons_of_the_page_do_it_and_the_list_offers_to_undo_it(
    models: Models, people: People, alice: Browser
) -> None:
    poll = await lunch(models, people)
    for action, status, words in (
        ("close", "closed", "1 poll is closed."), ("reopen", "open", "1 poll is open again."),
        ("trash", "trashed", "1 poll is in the trash."), ("restore", "open", "1 poll is out of the trash."),
    ):  # fmt: skip
        page = await alice.get(f"/manage/polls/{poll.id}")
        assert f'action="/manage/polls/{poll.id}/{action}"' in page.text
        done = await alice.post(f"/manage/polls/{poll.id}/{action}", follow=True)
        assert words in done.text
        assert batch(done)
        assert (await models.polls.fresh().one(poll.id)).status == status
    assert (await alice.post(f"/manage/polls/{poll.id}/reopen")).status == 422


async def test_the_tabs_and_filters_show_what_they_say(
    models: Models, people: People, town: Town, alice: Browser
) -> None:
    theirs = await models.polls.create(NewPoll("咖啡好喝吗?", ("Yes", "No")), by=people.olga)
    await models.polls.close(theirs.id, by=people.olga)
    gone = await models.polls.create(NewPoll("Gone?", ("Yes", "No")), by=people.alice)
    await models.polls.trash(gone.id, by=people.alice)
    questions = (town.poll.question, town.planned.question, theirs.question, gone.question)

    shown = {
        path: [question in (await alice.get(f"/manage/polls{path}")).text for question in questions]
        for path in ("", "?status=open", "?status=scheduled", "?status=closed", "?status=trashed",
                     f"?author={people.olga.id}", "?q=eat", "?q=咖啡", "?q=nothing", "?status=trashed&q=gone",
                     f"?author={people.olga.id}&q=eat")
    }  # fmt: skip

    assert shown == {
        "": [True, True, True, False], "?status=open": [True, False, False, False],
        "?status=scheduled": [False, True, False, False], "?status=closed": [False, False, True, False],
        "?status=trashed": [False, False, False, True],
        f"?author={people.olga.id}": [False, False, True, False], "?q=eat": [True, False, False, False],
        "?q=咖啡": [False, False, True, False], "?q=nothing": [False] * 4, "?status=trashed&q=gone": [False, False, False, True],
        f"?author={people.olga.id}&q=eat": [False] * 4,
    }  # fmt: skip


async def test_what_cannot_be_seen_is_not_led_to(models: Models, people: People, town: Town, alice: Browser) -> None:
    page = await alice.get("/manage/polls")

    assert f'href="/polls/{town.poll.id}"' in page.text
    assert f'href="/polls/{town.planned.id}"' not in page.text
    assert f'href="/polls/{town.planned.id}"' not in (await alice.get(f"/manage/polls/{town.planned.id}")).text


async def test_the_list_goes_on(models: Models, people: People, alice: Browser) -> None:
    for _ in range(53):
        await lunch(models, people)
    page = await alice.get("/manage/polls")
    onward = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert onward
    rest = await alice.get(onward[1].replace("&amp;", "&"))

    assert "53 polls" in page.text
    assert [one.text.count('name="ids"') for one in (page, rest)] == [50, 3]
    assert 'rel="prev"' in rest.text


@pytest.mark.parametrize("path", ["?status=gone", "?author=x", "?after=x", "/999999", "/0"])
async def test_what_is_not_there_is_404(town: Town, alice: Browser, path: str) -> None:
    assert (await alice.get(f"/manage/polls{path}")).status == 404


async def test_actions_on_what_is_not_there_or_too_many(town: Town, alice: Browser) -> None:
    many = "&".join(["action=trash", *(f"ids={n}" for n in range(1, 102))]).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    assert (await alice.post("/manage/polls/999999/close")).status == 404
    assert (await alice.post("/manage/polls/999999", FORM)).status == 404
    assert (await alice.post("/manage/polls", {"one": "hide.1"})).status == 422
    assert (await alice.request("POST", "/manage/polls", body=many, headers=kind)).status == 422


async def test_a_member_may_not_and_a_lost_right_counts_at_once(
    models: Models, people: People, bob: Browser, alice: Browser
) -> None:
    poll = await lunch(models, people)
    done = await alice.post("/manage/polls", {"one": f"close.{poll.id}"}, follow=True)
    await models.rights.set_roles(people.alice.id, [], by=people.ada)

    assert (await bob.post("/manage/polls", {"one": f"trash.{poll.id}"})).status == 403
    assert (await alice.post("/manage/polls", {"undo": batch(done)})).status == 403
    assert (await alice.post("/manage/polls/create", FORM)).status == 403
    assert (await models.polls.fresh().one(poll.id)).status == "closed"


async def test_the_overview_has_the_open_polls(
    models: Models, people: People, town: Town, alice: Browser, bob: Browser
) -> None:
    await voted(bob, town.poll, 0)
    page = await alice.get("/manage/")

    assert f'href="/manage/polls/{town.poll.id}"' in page.text
    assert "1 voter" in page.text
    assert 'href="/manage/polls"' in page.text
    assert "PLANNED-WORDS" not in page.text
