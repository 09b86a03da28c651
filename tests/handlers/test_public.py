"""Public pages: the same bytes for everybody, told apart by ETag, with the headers that the edge needs."""

from collections.abc import Callable

import pytest

from models import Models
from models.writing import Draft
from settings import Settings
from tests.handlers.conftest import Town
from tests.handlers.table import TABLE
from tests.handlers.test_permissions import filled
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People

NOT_PUBLIC = (
    "/register", "/signin", "/signout", "/account", "/manage", "/language", "/api/v1/me", "/api/users", "/healthz", "/readyz",
    "/metrics", "/comments/{talk}/edit", "/comments/{talk}/reply", "/forgot", "/reset", "/confirm", "/unsubscribe",
    "/polls/{poll}/ballot", "/polls/{poll}/live", "/api/v1/polls/{poll}/ballot",
)  # fmt: skip
OF_FILES = ("/i/", "/d/", "/r/")  # what members have uploaded, under headers of their own: test_file_answers.py
PAGES = [line.path for line in TABLE if line.method == "GET" and not line.path.startswith(OF_FILES)]
PUBLIC = sorted({path for path in PAGES if not path.startswith(NOT_PUBLIC)})
SECRET = ("/reset", "/confirm", "/unsubscribe", "/register")
SECURITY = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip


async def test_everybody_gets_the_same_bytes_and_nobody_a_cookie(
    town: Town, people: People, visitor: Browser, bob: Browser, alice: Browser, ada: Browser
) -> None:
    for path in (filled(path, town, people) for path in PUBLIC):
        answers = [await browser.get(path) for browser in (visitor, bob, alice, ada)]

        assert len({answer.body for answer in answers}) == 1, path
        assert len({answer.headers.get("ETag") for answer in answers}) == 1, path
        assert [answer.set_cookies for answer in answers] == [[]] * 4, path


async def test_every_public_answer_says_how_it_may_be_kept(town: Town, people: People, visitor: Browser) -> None:
    for path in (filled(path, town, people) for path in PUBLIC):
        answer = await visitor.get(path)
        kept = answer.headers["Cache-Control"]

        if answer.status < 400:
            assert kept == "public, max-age=0, must-revalidate", path
            in_one_language = path.endswith((".atom", ".rss", ".json", ".xml", ".txt"))  # the site's own
            assert in_one_language or "Accept-Language" in answer.headers["Vary"], path
        else:
            assert kept == "no-store", path


async def test_every_private_answer_is_kept_nowhere(town: Town, people: People, alice: Browser, ada: Browser) -> None:
    for line in TABLE:
        if line.method == "GET" and line.path.startswith(NOT_PUBLIC):
            answer = await ada.get(filled(line.path, town, people))
            assert "no-store" in answer.headers["Cache-Control"], line.path
            assert "public" not in answer.headers["Cache-Control"], line.path


async def test_an_unchanged_page_is_304_and_a_changed_one_is_not(
    town: Town, people: People, visitor: Browser, models: Models
) -> None:
    for path in (
        "/",
        town.path,
        "/tag/news",
        "/archive",
        f"/user/{people.bob.id}",
        "/api/blogs",
        f"/api/blogs/{town.post.id}",
    ):
        etag = (await visitor.get(path)).headers["ETag"]
        again = await visitor.get(path, If_None_Match=etag)
        weak = await visitor.get(path, If_None_Match=f'"other", W/{etag.removeprefix("W/")}')
        other = await visitor.get(path, If_None_Match='"other"')

        assert [again.status, weak.status, other.status] == [304, 304, 200], path
        assert again.body == b""
        assert again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    etag = (await visitor.get(town.path)).headers["ETag"]
    await models.writing.edit(town.post.id, Draft("A post", "", "Other words.", ("news",)), by=people.alice)

    assert (await visitor.get(town.path, If_None_Match=etag)).status == 200


async def test_head_is_get_without_the_body(town: Town, people: People, visitor: Browser) -> None:
    for path in (filled(path, town, people) for path in PUBLIC):
        got, head = await visitor.get(path), await visitor.request("HEAD", path)

        assert head.status == got.status, path
        assert head.body == b""
        for name in ("Content-Type", "Content-Length", "ETag", "Location", "Cache-Control"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)


async def test_every_kind_of_answer_has_the_security_headers(
    town: Town, people: People, visitor: Browser, ada: Browser
) -> None:
    tried = [await ada.get(filled(path, town, people)) for path in PAGES]
    tried.append(await visitor.post("/signin", {"email": "x", "password": "y"}))
    tried.append(await visitor.post("/signout", headers={"Sec-Fetch-Site": "cross-site"}))
    tried.append(await visitor.get("/", Host="evil.example"))
    tried.append(await visitor.request("DELETE", "/"))
    tried.append(await visitor.request("POST", "/api/blogs", body=b"{", headers={"Content-Type": "application/json"}))
    tried.append(await visitor.get("/page/x"))
    tried.append(await visitor.get("/", If_None_Match=(await visitor.get("/")).headers["ETag"]))
    for answer in tried:
        policy = answer.headers["Content-Security-Policy"]

        for name, value in SECURITY.items():
            # A page whose address holds a secret tells other sites nothing of its path.
            shorter = "strict-origin" if answer.path.startswith(SECRET) else value
            assert answer.headers[name] in (value, shorter if name == "Referrer-Policy" else value), answer.path
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert answer.headers["Permissions-Policy"]
        assert answer.headers["Server"] == "Plaza"


async def test_no_page_has_a_script_or_a_style_in_it(town: Town, people: People, ada: Browser) -> None:
    for path in PAGES:
        text = (await ada.get(filled(path, town, people))).text
        assert "<style" not in text
        assert " style=" not in text
        assert "javascript:" not in text
        assert " on" + "click=" not in text
        assert "<script>" not in text


@pytest.mark.parametrize(
    ("accept", "cookie", "lang"),
    [
        ("", "", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"), ("en-US,zh", "", "en"), ("fr,zh;q=0.9", "", "en"),
        ("zh-CN", "en", "en"), ("en", "zh", "zh"), ("zh", "xx", "zh"),
    ],
)  # fmt: skip
async def test_the_language_is_the_one_chosen_else_the_first_accepted_else_the_sites(
    accept: str, cookie: str, lang: str, visitor: Browser
) -> None:
    if cookie:
        visitor.cookies["lang"] = cookie
    answer = await visitor.get("/about", accept_language=accept)

    assert answer.headers["Content-Language"] == lang
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in answer.text


async def test_choosing_a_language_sets_the_one_cookie_a_visitor_gets_and_leads_back(visitor: Browser) -> None:
    answer = await visitor.get("/language/zh?next=/archive")

    assert (answer.status, answer.location) == (303, "/archive")
    assert visitor.cookies == {"lang": "zh"}
    assert "zh-CN" in (await visitor.get("/")).text


async def test_a_warm_front_page_asks_mysql_nothing(
    town: Town, people: People, visitor: Browser, counted: Counted
) -> None:
    for path in ("/", town.path, "/tag/news", "/archive", f"/user/{people.bob.id}", "/api/blogs"):
        await visitor.get(path)
        await visitor.get(path)
        counted.clear()
        assert (await visitor.get(path)).status == 200
        assert counted.statements == [], path
        assert counted.trips <= 6, path


async def test_a_cold_front_page_asks_mysql_four_times(
    town: Town, visitor: Browser, counted: Counted, models: Models, settings: Settings
) -> None:
    await visitor.get("/")
    await models.redis.delete(*await models.redis.keys(f"{settings.namespace}:*"))
    models.cache.local.flush()
    counted.clear()

    assert (await visitor.get("/")).status == 200
    assert 0 < len(counted.statements) <= 4, counted.statements


async def test_what_a_visitor_sees_is_the_change_that_was_just_made(
    town: Town, alice: Browser, bob: Browser, browse: Callable[[], Browser]
) -> None:
    visitor = browse()
    for path in ("/", town.path):
        await visitor.get(path)
    await alice.post(
        f"/manage/blogs/edit?id={town.post.id}",
        {"title": "Another title", "summary": "", "body": "x", "tags": "", "version": str(town.post.version)},
    )
    shown = await bob.post(f"/blog/{town.post.id}/comments", {"body": "Look, a comment"}, follow=True)

    assert "Look, a comment" in shown.text
    assert "Another title" in (await visitor.get("/")).text
    assert "Look, a comment" in (await visitor.get(town.path, follow=True)).text
