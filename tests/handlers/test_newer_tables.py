"""This code on the tables of a later release, as while `plaza deploy` goes from process to process, and after a rollback."""

import pymysql
import pytest

from models import Models
from models.check import check
from settings import Settings
from tests.handlers.conftest import Town
from tests.handlers.polling import voted
from tests.harness import files
from tests.harness.browser import Browser

# In front of the others, so that whoever goes by places instead of names is found.
NEWER = (
    "ALTER TABLE `{}` ADD COLUMN brand_new VARCHAR(20) NOT NULL DEFAULT 'not yet known' FIRST, "
    "ADD COLUMN also_new BIGINT NULL, ADD KEY of_brand_new (brand_new)"
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every table has columns and a key that this code has never heard of; and there is another table."""
    address = settings.mysql
    with pymysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, database=address.database
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute("SHOW TABLES")
        tables = [name for (name,) in cursor.fetchall() if "yoyo" not in name]
        assert {"posts", "comments", "ballots", "scores", "files", "outbox", "users", "sessions"} <= set(tables)
        for name in tables:
            cursor.execute(NEWER.format(name))
        cursor.execute("CREATE TABLE moods (id BIGINT NOT NULL PRIMARY KEY, word VARCHAR(20) NOT NULL UNIQUE)")
    return settings


async def test_who_writes_and_reads_notices_nothing(
    models: Models, town: Town, alice: Browser, bob: Browser, olga: Browser, ada: Browser, visitor: Browser
) -> None:
    """`town` itself was made on these tables: posts, comments, polls, files, boards."""
    draft = {
        "title": "From before",
        "summary": "",
        "body": "Written by **older** code.",
        "tags": "news",
        "publish": "1",
    }
    written = await alice.post("/manage/blogs/create", draft)
    edited = await alice.post(
        f"/manage/blogs/edit?id={town.post.id}",
        {"title": "Changed", "summary": "", "body": "Other words.", "tags": "news", "version": str(town.post.version)},
    )
    said = await bob.post(f"/blog/{town.post.id}/comments", {"body": "Hello from before"})
    await voted(bob, town.poll, 0)
    await voted(bob, town.poll, 1)
    score = await bob.post_json(f"/api/v1/boards/{town.board.slug}/scores", {"score": 99, "id": "before"})
    body, headers = files.form("note.txt", b"A note from before.")
    sent = await bob.request("POST", "/files", body=body, headers=headers)
    signed_in = await visitor.post("/signin", {"email": "bob@example.org", "password": "correct horse battery"})
    registered = await visitor.post(
        "/register",
        {
            "name": "Newcomer",
            "email": "new@example.org",
            "password": "a long enough password",
            "again": "a long enough password",
        },
    )

    for answer in (written, edited, said, sent, signed_in, registered):
        assert answer.status in (200, 201, 302, 303), (answer.path, answer.status, answer.text[:500])
    assert score.status == 201
    assert "Hello from before" in (await visitor.get(town.path, follow=True)).text
    assert "1 voter" in (await visitor.get(f"/polls/{town.poll.id}")).text
    for browser, path in (
        (visitor, "/"), (visitor, "/archive"), (visitor, f"/boards/{town.board.slug}"), (visitor, "/search?q=older"),
        (visitor, "/feed.atom"), (visitor, "/latest_files"), (bob, "/account"), (alice, "/manage/blogs"),
        (olga, "/manage/comments"), (olga, "/manage/boards"), (ada, "/manage/users"), (ada, "/manage/audit"),
    ):  # fmt: skip
        assert (await browser.get(path, follow=True)).status == 200, path
    assert await check(models.db) == []
