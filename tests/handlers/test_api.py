"""The API of the tutorial kind: its shapes, in JSON and in forms, and its errors."""

import pytest

from models import Models
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import PASSWORD, People

BLOG = {"id", "user_id", "user_name", "user_image", "name", "summary", "content", "created_at"}
NEW = {"name": "New", "summary": "Short", "content": "Some *words*"}


async def test_a_blog_is_published_changed_and_deleted(town: Town, alice: Browser, visitor: Browser) -> None:
    for send in (alice.post_json, alice.post):
        made = await send("/api/blogs", NEW)
        blog = made.json()
        assert made.status == 201
        assert made.headers["Location"] == f"/api/blogs/{blog['id']}"
        assert set(blog) == BLOG
        assert (blog["name"], blog["content"], blog["user_name"]) == ("New", "Some *words*", "Alice")
        assert (await visitor.get("/api/blogs")).json()["blogs"][0] == blog

        changed = await send(f"/api/blogs/{blog['id']}", {**NEW, "name": "Newer"})
        assert changed.status == 200
        assert changed.json()["name"] == "Newer"
        assert (await send(f"/api/blogs/{blog['id']}/delete", {})).json() == {"id": blog["id"]}
        assert (await visitor.get(f"/api/blogs/{blog['id']}")).status == 404


async def test_a_change_keeps_the_tags_and_reads_nothing_again(
    town: Town, alice: Browser, visitor: Browser, counted: Counted
) -> None:
    """The post is read once, under its lock: with tags read before, a change of them in between would be undone."""
    await alice.get(f"/api/blogs/{town.post.id}")
    counted.clear()
    changed = await alice.post_json(f"/api/blogs/{town.post.id}", NEW)

    asked = [sql for sql in counted.selects if "FROM posts" in sql]
    assert [sql.endswith("FOR UPDATE") for sql in asked] == [True]
    assert (await visitor.get(f"/api/blogs/{town.post.id}")).json() == changed.json()
    assert (await visitor.get("/tag/news")).text.count(changed.json()["name"]) > 0


async def test_a_list_tells_exactly_on_which_page_one_is(town: Town, visitor: Browser) -> None:
    found = (await visitor.get("/api/blogs?page=1")).json()
    beyond = (await visitor.get("/api/blogs?page=99")).json()

    assert found["page"] == {
        "has_next": False,
        "page_index": 1,
        "page_count": 1,
        "has_previous": False,
        "item_count": 1,
    }
    assert [blog["id"] for blog in found["blogs"]] == [town.post.id]
    assert beyond["blogs"] == []


async def test_comments_are_made_listed_and_deleted(town: Town, bob: Browser, visitor: Browser) -> None:
    made = await bob.post_json(f"/api/blogs/{town.post.id}/comments", {"content": "By call"})
    listed = (await visitor.get("/api/comments")).json()

    assert made.status == 201
    assert made.headers["Location"] == f"/comments/{made.json()['id']}"
    assert listed["comments"][0] == made.json()
    assert (await bob.post_json(f"/api/comments/{made.json()['id']}/delete", {})).status == 200
    assert (await visitor.get("/api/comments")).json()["comments"][0]["content"] == "Alice answers"


async def test_registering_and_authenticating_set_the_session(visitor: Browser) -> None:
    sent = {"email": "eve@example.org", "name": "Eve", "passwd": "a long password of mine"}
    made = await visitor.post_json("/api/users", sent)
    assert made.status == 201
    assert (await visitor.get("/api/v1/me")).json()["user"]["name"] == "Eve"
    visitor.cookies.clear()
    again = await visitor.post("/api/authenticate", {"email": sent["email"], "passwd": sent["passwd"]})

    assert again.status == 200
    assert again.json() == made.json()
    assert (await visitor.get("/api/v1/me")).json()["user"]["name"] == "Eve"


async def test_nobodys_address_is_told_to_anybody(
    town: Town, people: People, ada: Browser, alice: Browser, visitor: Browser
) -> None:
    users = await ada.get("/api/users")
    assert [user["name"] for user in users.json()["users"]] == ["Ada", "Olga", "Bob", "Alice"]
    for browser in (visitor, alice, ada):
        for path in (
            "/",
            town.path,
            "/user/1",
            "/api/blogs",
            "/api/comments",
            "/api/users",
            "/api/v1/me",
            "/manage/blogs",
        ):
            assert b"@example.org" not in (await browser.get(path)).body, path


@pytest.mark.parametrize(
    ("path", "sent", "status", "error", "data"),
    [
        ("/api/blogs", {"name": " ", "summary": "", "content": ""}, 422, "value:invalid", "name"),
        ("/api/blogs", {"name": "x" * 201, "content": "y"}, 422, "value:invalid", "name"),
        ("/api/blogs", {"name": "x", "content": "y" * 500_001}, 422, "value:invalid", "content"),
        ("/api/blogs", {"name": 7, "content": "y"}, 422, "value:invalid", "name"),
        ("/api/blogs", ["x"], 400, "value:invalid", ""),
        ("/api/blogs/999", {"name": "x", "content": "y"}, 404, "value:notfound", ""),
        ("/api/blogs/999/delete", {}, 404, "value:notfound", ""),
        ("/api/blogs/999/comments", {"content": "x"}, 404, "value:notfound", ""),
        ("/api/blogs/1/comments", {"content": ""}, 422, "value:invalid", "content"),
        ("/api/comments/999/delete", {}, 404, "value:notfound", ""),
        ("/api/users", {"email": "x", "name": "Eve", "passwd": "a long password of mine"}, 422, "value:invalid", "email"),
        ("/api/users", {"email": "e@x.org", "name": "Eve", "passwd": "short"}, 422, "value:invalid", "passwd"),
        ("/api/users", {"email": "bob@example.org", "name": "B2", "passwd": "a long password"}, 409, "value:invalid", "email"),
        ("/api/authenticate", {"email": "bob@example.org", "passwd": "x"}, 401, "user:unknown", ""),
    ],
)  # fmt: skip
async def test_an_error_says_what_is_wrong_with_which_field(
    path: str, sent: object, status: int, error: str, data: str, town: Town, alice: Browser
) -> None:
    answer = await alice.post_json(path, sent)
    told = answer.json()

    assert answer.status == status
    assert (told["error"], told["data"]) == (error, data)
    assert told["message"]
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "", "1" + "0" * 30])
async def test_a_page_that_is_no_number_is_an_error(page: str, visitor: Browser) -> None:
    answer = await visitor.get(f"/api/blogs?page={page}")

    assert (answer.status, answer.json()["data"]) == (422, "page")


async def test_errors_are_told_in_the_readers_language(visitor: Browser) -> None:
    answers = [await visitor.get("/api/nothing", accept_language=lang) for lang in ("en", "zh")]

    assert answers[0].json()["message"] != answers[1].json()["message"]


async def test_the_password_is_the_password_itself(visitor: Browser, models: Models) -> None:
    answer = await visitor.post_json("/api/authenticate", {"email": "BOB@example.org ", "passwd": PASSWORD})

    assert answer.status == 200
    assert "passwd" not in answer.text
