"""The manage pages of comments, accounts, roles, the site and the log, as the people who use them meet them."""

import re
from collections.abc import Callable

import pytest

from models import Models
from models.rights import Wanted
from models.roles import LOGIN, OPERATOR
from tests.handlers.conftest import Town
from tests.harness.browser import Answer, Browser
from tests.harness.people import People


def batch(answer: Answer) -> str:
    """What the button Undo sends."""
    found = re.search(r'name="undo" value="([0-9]+)"', answer.text)
    assert found, answer.text
    return found[1]


async def test_a_comment_is_trashed_with_a_reason_and_brought_back(
    town: Town, models: Models, alice: Browser, visitor: Browser
) -> None:
    here = f"/manage/comments?post={town.post.id}"
    done = await alice.post(here, {"one": f"trash.{town.reply.id}", "reason": "Off the subject"}, follow=True)
    assert "1 comment is in the trash." in done.text
    assert "Alice answers" not in (await visitor.get(town.path)).text
    assert "Reason: Off the subject" in (await alice.get("/manage/comments?status=trashed")).text

    back = await alice.post(done.path, {"undo": batch(done)}, follow=True)

    assert "Undone: 1 is as it was before." in back.text
    assert "Alice answers" in (await visitor.get(town.path)).text
    assert f"post={town.post.id}" in back.path  # the filters stay


async def test_the_tabs_and_filters_of_comments_show_what_they_say(town: Town, alice: Browser, people: People) -> None:
    await alice.post("/manage/comments", {"one": f"hold.{town.talk.id}"})

    shown = {
        path: [word in (await alice.get(f"/manage/comments{path}")).text for word in ("Bob says", "Alice answers")]
        for path in ("", "?status=held", "?status=shown", "?status=trashed", f"?author={people.alice.id}", "?q=answers")
    }

    assert shown == {
        "": [True, True], "?status=held": [True, False], "?status=shown": [False, True], "?status=trashed": [False, False],
        f"?author={people.alice.id}": [False, True], "?q=answers": [False, True],
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/manage/comments?status=gone", "/manage/comments?author=x", "/manage/comments?after=x", "/manage/users?state=x",
        "/manage/users?role=x", "/manage/users?before=1.2.x", "/manage/audit?after=-1", "/manage/users/999999",
        "/manage/roles/999999",
    ],
)  # fmt: skip
async def test_an_address_that_nothing_stands_at_is_404(town: Town, ada: Browser, path: str) -> None:
    assert (await ada.get(path)).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/manage/comments?q=%22%22", "/manage/comments?q=" + "x" * 5000, "/manage/comments?author=99999999",
        "/manage/comments?post=99999999", "/manage/users?name=%25", "/manage/users?name=%00", "/manage/users?email=%F0%9F%98%80",
        "/manage/users?role=99999", "/manage/audit?from=x&to=2020-02-31", "/manage/audit?actor=nobody@example.org",
        "/manage/audit?from=1999-01-01&to=1999-01-02", "/manage/audit?target=%27%20OR%201", "/manage/audit?action=%5C",
    ],
)  # fmt: skip
async def test_absurd_filters_get_a_calm_page(town: Town, ada: Browser, path: str) -> None:
    assert (await ada.get(path)).status == 200


async def test_a_held_comment_tells_its_author_and_nobody_else(
    town: Town, models: Models, ada: Browser, visitor: Browser, alice: Browser, browse: Callable[[], Browser]
) -> None:
    await ada.post("/manage/site", {"title": "Plaza", "hold_first_comments": "1"})
    nina = await browse().sign_in(await models.users.register("Nina", "nina@example.org", None))

    answer = await nina.post(f"{town.path.split('-')[0]}/comments", {"body": "My first words"}, follow=True)

    assert "a moderator looks at it before others see it" in answer.text
    assert "My first words" in answer.text
    assert "My first words" not in (await visitor.get(town.path)).text
    assert "Only you see it" in (await nina.get("/account")).text
    assert "My first words" in (await alice.get("/manage/")).text


async def test_who_wrote_a_comment_is_told_why_it_went(town: Town, alice: Browser, bob: Browser) -> None:
    await alice.post("/manage/comments", {"one": f"trash.{town.talk.id}", "reason": "Off the subject"})

    mine = (await bob.get("/account")).text

    assert "Reason: Off the subject" in mine
    assert f"/comments/{town.talk.id}/edit" not in mine
    assert (await bob.post(f"/comments/{town.talk.id}/edit", {"body": "But"})).status == 404


async def test_a_field_that_people_do_not_see_stops_a_comment_without_losing_it(town: Town, bob: Browser) -> None:
    path = f"{town.path.split('-')[0]}/comments"
    answer = await bob.post(path, {"body": "Buy my things", "homepage": "https://spam.example"})

    assert answer.status == 422
    assert "Buy my things" in answer.text
    assert "https://spam.example" not in answer.text
    assert (await bob.post(path, {"body": "Buy my things", "homepage": ""})).status == 303


async def test_an_operator_switches_accounts_and_undoes_it(
    models: Models, people: People, olga: Browser, bob: Browser
) -> None:
    done = await olga.post("/manage/users?name=b", {"action": "deactivate", "ids": str(people.bob.id)}, follow=True)
    assert "1 account is inactive and signed out everywhere." in done.text
    assert (await bob.get("/account")).status == 302

    await olga.post(done.path, {"undo": batch(done)})

    assert (await models.users.one(people.bob.id)).active


async def test_an_operator_does_not_reach_an_administrator(models: Models, people: People, olga: Browser) -> None:
    for action in ("deactivate", "signout"):
        assert (await olga.post("/manage/users", {"one": f"{action}.{people.ada.id}"})).status == 403
    mixed = await olga.request(
        "POST", "/manage/users", body=f"action=deactivate&ids={people.ada.id}&ids={people.bob.id}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"}, follow=True,
    )  # fmt: skip

    assert "1 stayed as it was." in mixed.text
    assert (await models.users.fresh().one(people.ada.id)).active
    assert not (await models.users.fresh().one(people.bob.id)).active


async def test_an_operators_page_of_an_account_offers_no_roles(people: People, olga: Browser, ada: Browser) -> None:
    path = f"/manage/users/{people.bob.id}"

    assert 'name="roles"' not in (await olga.get(path)).text
    assert 'name="roles"' in (await ada.get(path)).text


async def test_roles_are_given_and_the_last_administrator_stays(models: Models, people: People, ada: Browser) -> None:
    made = await ada.post(
        "/manage/roles", {"name": "helper", "permissions": "OPERATOR", "description": "helps"}, follow=True
    )
    role = next(role for role in await models.rights.all() if role.name == "helper")
    await ada.post(f"/manage/users/{people.bob.id}/roles", {"roles": str(role.id)})
    refused = await ada.post(f"/manage/users/{people.ada.id}/roles", {})

    assert "helper" in made.text
    assert role.permissions == 4
    assert (await models.users.one(people.bob.id)).roles == (role.id,)
    assert refused.status == 422
    assert "Somebody must remain who administers the site." in refused.text
    assert (await ada.get("/manage/roles")).status == 200


async def test_a_wrong_role_is_told_beside_its_field(ada: Browser) -> None:
    answer = await ada.post("/manage/roles", {"name": "editor", "description": "mine", "permissions": "LOGIN"})

    assert answer.status == 409
    assert "There is a role of this name." in answer.text
    assert 'value="mine"' in answer.text


async def test_the_sites_words_are_everywhere_at_once(ada: Browser, visitor: Browser, alice: Browser) -> None:
    form = {
        "title": "Our square",
        "tagline": "Talk & write",
        "about": "# Us\n\nWe.",
        "registration": "closed",
        "language": "zh",
        "logo": "https://pictures.example/x.png",
    }
    ada.headers["Accept-Language"] = "en"
    await ada.post("/manage/site", form)

    front = (await visitor.get("/", accept_language="en")).text
    assert "Our square" in front
    assert 'src="https://pictures.example/x.png"' in front
    assert "Talk &amp; write" in front
    assert "We." in (await visitor.get("/about", accept_language="en")).text
    assert (await visitor.get("/register", accept_language="en")).status == 403
    assert (await visitor.get("/", accept_language="fr")).headers["Content-Language"] == "zh"
    wrong = await ada.post("/manage/site", {"title": "", "logo": "javascript:alert(1)"})
    assert wrong.status == 422
    assert "A site needs a title." in wrong.text
    assert "A logo is an address" in wrong.text


async def test_who_operates_without_editing_sees_their_part(
    town: Town, models: Models, people: People, bob: Browser
) -> None:
    role = await models.rights.create(Wanted("helper", LOGIN | OPERATOR, ""), by=people.ada)
    await models.rights.set_roles(people.bob.id, [role.id], by=people.ada)

    page = (await bob.get("/manage/")).text

    assert "Inactive accounts" in page
    assert "Bob says" not in page
    assert 'href="/manage/users"' in page
    assert 'href="/manage/blogs"' not in page
    assert (await bob.get("/manage/users")).status == 200
    assert (await bob.get("/manage/comments")).status == 403
    assert "manage" in [link["rel"] for link in (await bob.get("/api/v1/me?on=/")).json()["links"]]


async def test_the_overview_shows_each_what_is_theirs(
    town: Town, models: Models, alice: Browser, olga: Browser, ada: Browser
) -> None:
    await models.duties.ended("publish what is due", "RuntimeError('no')")
    await alice.post("/manage/comments", {"one": f"hold.{town.talk.id}"})
    async with models.db.connection() as connection:
        await connection.execute(
            "INSERT INTO mails (kind, recipient, language, subject, facts, created_at, tries, error) "
            "VALUES ('reset', 'x@example.org', 'en', 'Hello', '{}', NOW(6), 3, 'refused')"
        )

    of_alice, of_olga, of_ada = [(await browser.get("/manage/")).text for browser in (alice, olga, ada)]

    assert all("Bob says" in text for text in (of_alice, of_olga, of_ada))
    assert ["publish what is due" in text for text in (of_alice, of_olga, of_ada)] == [False, True, True]
    assert ["x@example.org" in text for text in (of_alice, of_olga, of_ada)] == [False, True, True]
    assert ["worker has not been heard of" in text for text in (of_alice, of_olga, of_ada)] == [False, False, False]
    assert "Your last changes" in of_alice


async def test_a_silent_worker_is_a_warning(models: Models, ada: Browser) -> None:
    assert "worker has not been heard of" in (await ada.get("/manage/")).text


async def test_a_page_of_the_list_says_where_it_goes_on(models: Models, olga: Browser) -> None:
    for number in range(60):
        await models.users.register(f"Member {number}", f"m{number}@example.org", None)

    first = await olga.get("/manage/users")
    onward = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert onward
    second = await olga.get(onward[1].replace("&amp;", "&"))

    assert "64 users" in first.text
    assert first.text.count('name="ids"') == 50
    assert second.text.count('name="ids"') == 14
    assert 'rel="prev"' in second.text
