"""Search: what is written is found at once by who may see it, in the promised order, with bounded work."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.import_ import bring_in, found_in
from content.terms import postings
from models import Models, hunting, terms
from models.check import check
from models.imports import Imported
from models.posts import Post
from models.search import Found
from models.writing import Draft
from settings import Settings
from tests.harness.counting import Counted
from tests.harness.people import People

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
needs_posts = pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the posts in {DATA}")


async def written(
    models: Models, people: People, title: str, body: str = "Text.", *tags: str, draft: bool = False
) -> Post:
    return await models.writing.create(Draft(title, "", body, tags), by=people.alice, publish=not draft)


async def titles(models: Models, text: str, *, everything: bool = False) -> list[str]:
    found = await models.search.posts(text, shown_only=not everything)
    return [post.title for post in await models.posts.fresh().many(found.ids)]


async def test_a_post_is_found_as_soon_as_it_is_published_and_no_longer(models: Models, people: People) -> None:
    post = await written(models, people, "Lighthouses", "They blink.", draft=True)

    assert await titles(models, "lighthouse") == []
    assert await titles(models, "lighthouse blinking", everything=True) == ["Lighthouses"]
    await models.publishing.publish(post.id, by=people.alice)
    assert await titles(models, "lighthouse") == ["Lighthouses"]
    done = await models.publishing.act("trash", (post.id,), by=people.alice)
    assert await titles(models, "lighthouse") == []
    await models.publishing.undo(done.batch, by=people.alice)
    assert await titles(models, "lighthouse") == ["Lighthouses"]
    await models.publishing.unpublish(post.id, by=people.alice)
    assert await titles(models, "lighthouse") == []
    await models.publishing.schedule(post.id, datetime.now(UTC) + timedelta(days=1), by=people.alice)
    await models.publishing.publish_due(datetime.now(UTC) + timedelta(days=2))
    assert await titles(models, "lighthouse") == ["Lighthouses"]
    assert [*await models.indexing.check(), *await check(models.db)] == []


async def test_edited_words_take_the_place_of_the_old_ones(models: Models, people: People) -> None:
    post = await written(models, people, "Before", "Alpha beta.", "old")
    assert await titles(models, "alpha tag:old") == ["Before"]

    await models.writing.edit(post.id, Draft("After", "", "Gamma.", ("new",)), by=people.alice)

    assert [await titles(models, text) for text in ("alpha", "before", "tag:old", "beta gamma")] == [[], [], [], []]
    assert await titles(models, "gamma after tag:new") == ["After"]
    assert await models.indexing.check() == []


async def test_the_title_counts_first_then_how_often_then_the_date(models: Models, people: People) -> None:
    for title, body in (("Once, old", "harbour"), ("Once", "harbour"), ("Often", "harbour " * 9), ("Harbours", "x")):
        await written(models, people, title, body)
    await models.db.fetch("DO 0")
    async with models.posts.write() as w:
        await w.execute("UPDATE terms SET day = day - 9 WHERE row_id = (SELECT MIN(id) FROM posts)")

    assert await titles(models, "harbour") == ["Harbours", "Often", "Once", "Once, old"]
    assert (await titles(models, "harbour tag:none", everything=True)) == []


async def test_several_words_must_all_be_there_and_a_phrase_side_by_side(models: Models, people: People) -> None:
    await written(models, people, "Apart", "The checker may borrow.")
    await written(models, people, "Together", "The borrow checker.")
    await written(models, people, "One", "Only a checker.")

    assert await titles(models, "borrow checker") == ["Together", "Apart"]
    assert await titles(models, '"borrow checker"') == ["Together"]
    assert await titles(models, "borrow-checker") == ["Together"]
    assert await titles(models, '"checker borrow"') == []
    assert await titles(models, "checker absent") == []


async def test_chinese_is_found_by_words_signs_and_phrases(models: Models, people: People) -> None:
    await written(models, people, "分布式事务入门", "两阶段提交的模式。")
    await written(models, people, "缓存", "事务里的锁。")

    assert await titles(models, "分布式事务") == ["分布式事务入门"]
    assert await titles(models, "事务 模式") == ["分布式事务入门"]
    assert sorted(await titles(models, "事务")) == ["分布式事务入门", "缓存"]
    assert await titles(models, "锁") == ["缓存"]
    assert await titles(models, "“事务里”") == ["缓存"]
    assert await titles(models, "务事") == []


async def test_authors_are_found_by_their_present_name_and_in_bylines(models: Models, people: People) -> None:
    await written(models, people, "Hers")
    await models.imports.post(
        Imported("x/a.md", "Theirs", "", "Text.", (), "Ada Example", "Ada Example, Bo Sample", datetime.now(UTC), (), "")
    )  # fmt: skip

    assert await titles(models, "author:alice") == ["Hers"]
    assert await titles(models, 'text author:"bo sample"') == ["Theirs"]
    assert await titles(models, 'author:"ada ex"') == ["Theirs"]
    assert await titles(models, "author:nobody") == []
    await models.users.rename(people.alice.id, "Zoë")
    assert await titles(models, "author:zoe") == ["Hers"]
    assert await titles(models, "author:alice") == []


async def test_comments_follow_their_status_and_words(models: Models, people: People) -> None:
    post = await written(models, people, "Post")
    talk = await models.comments.create(post.id, "A *pelican* flew by", by=people.bob)

    async def found(text: str, *, shown_only: bool = True) -> tuple[int, ...]:
        return (await models.search.comments(text, shown_only=shown_only)).ids

    assert await found("pelicans author:bob") == (talk.id,)
    await models.moderation.act("hold", (talk.id,), by=people.alice)
    assert (await found("pelican"), await found("pelican", shown_only=False)) == ((), (talk.id,))
    await models.moderation.act("approve", (talk.id,), by=people.alice)
    await models.comments.edit(talk.id, "A heron", by=people.bob)
    assert (await found("pelican"), await found("heron")) == ((), (talk.id,))
    assert await titles(models, "heron") == []
    assert await models.indexing.check() == []


@pytest.mark.parametrize(
    "text", ["", "   ", "!!!", '"', "tag:", "author:%", "%", "_", "' OR 1=1 --", "\\", "🎉", "a" * 9999]
)
async def test_any_text_is_answered(models: Models, people: People, text: str) -> None:
    await written(models, people, "Post")

    assert isinstance(await models.search.posts(text), Found)
    assert isinstance(await models.search.posts(text, shown_only=False), Found)


async def _crowd(models: Models, count: int, has: dict[str, Any]) -> None:
    """Postings of rows 1 to `count`, without the rows: `has` tells for each word whether a row has it."""
    now = datetime.now(UTC)
    async with models.posts.write() as w:
        for id in range(1, count + 1):
            words = " ".join(word for word, holds in has.items() if holds(id))
            await terms.write(w, terms.POST, id, postings("", (words,)), shown=True, at=now, new=True)


class TestCommonWords:
    @pytest.fixture
    def choices(self) -> dict[str, Any]:
        return {"mysql_pool": 1}  # so that the session's counters tell of all statements

    async def test_the_work_is_bounded_and_the_answer_says_what_was_looked_at(
        self, models: Models, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hunting, "WORK", 40)
        await _crowd(
            models,
            400,
            {"red": lambda n: n % 2 or n == 4, "blue": lambda n: n % 2 == 0, "rare": lambda n: n == 4},
        )

        async def reads() -> int:
            rows = await models.db.fetch("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(n) for _, n in rows)

        await models.db.fetch("ANALYZE TABLE terms")
        before = await reads()
        both = await models.search.posts("red blue")
        middle = await reads()
        exact = await models.search.posts("red blue rare")

        assert (both.whole, both.looked_at, both.ids) == (False, 40, ())
        assert middle - before < 8 * 40
        assert (exact.whole, exact.ids) == (True, (4,))
        assert await reads() - middle < 8 * 40

    async def test_one_common_word_is_ranked_in_whole_and_counted_in_part(
        self, models: Models, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hunting, "WORK", 40)
        await _crowd(models, 60, {"red": lambda n: True})

        found = await models.search.posts("red", page=2)

        assert (found.whole, found.looked_at, found.count) == (False, 0, 40)
        assert found.ids == tuple(range(50, 40, -1))

    async def test_a_phrase_of_common_words_is_looked_for_in_the_best_rows(
        self, models: Models, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hunting, "PHRASED", 20)
        await _crowd(models, 30, {"red": lambda n: True, "x": lambda n: n != 30, "blue": lambda n: True})

        found = await models.search.posts('"red blue"')

        assert (found.ids, found.whole, found.looked_at) == ((30,), False, 10)


async def test_an_answer_is_remembered_until_something_is_published(
    models: Models, people: People, counted: Counted
) -> None:
    await written(models, people, "First harbour")
    await titles(models, "harbour")
    counted.clear()

    await models.search.posts("HARBOURS")
    assert counted.selects == []
    await written(models, people, "Second harbour")
    assert await titles(models, "harbour") == ["Second harbour", "First harbour"]


async def test_what_search_does_not_know_is_told_and_read(models: Models, people: People) -> None:
    one, two = await written(models, people, "One"), await written(models, people, "Two", "Words.")
    talk = await models.comments.create(one.id, "Remark", by=people.bob)
    async with models.posts.write() as w:
        await w.execute("DELETE FROM terms WHERE row_id IN (%s, %s)", one.id, talk.id)
        await w.execute("DELETE FROM terms WHERE row_id = %s AND term = 'word'", two.id)

    told = await models.indexing.check()
    heard: list[tuple[int, int]] = []
    count = await models.indexing.index(tell=lambda done, of: heard.append((done, of)))

    assert [sentence.rpartition(":")[0] for sentence in told[:2]] == [
        "posts that search does not know; run plaza reindex",
        "comments that search does not know; run plaza reindex",
    ]
    assert told[2] == f"search terms of post {two.id} are not those of its words; run plaza reindex --all"
    assert count == len({("post", one.id), ("comment", talk.id)})
    assert heard[-1][0] == heard[-1][1]
    assert await titles(models, "one") == ["One"]
    assert await models.indexing.index(everything=True) == 3
    assert await models.indexing.check() == []
    assert await models.indexing.index() == 0
    two = await written(models, people, "Three")
    async with models.posts.write() as w:
        await w.execute("DELETE FROM terms WHERE row_id = %s", two.id)
    assert await models.indexing.index() == 1


async def test_a_long_post_is_written_and_found(models: Models, people: People) -> None:
    post = await written(models, people, "Long", " ".join(f"w{n}" for n in range(20_000)))

    assert await titles(models, "w9000 w17") == ["Long"]
    assert replace(post, title="Long") == await models.posts.one(post.id)


@needs_posts
async def test_the_real_posts_are_found(models: Models, settings: Settings, people: People) -> None:
    about_borrowing = [(name, file) for name, file in found_in(DATA / "en") if "borrow checker" in file.read_text()]
    files = [*found_in(DATA / "zh"), *about_borrowing[:15], *list(found_in(DATA / "en"))[:10]]
    await bring_in(settings, files, "Somebody")

    for text in ("分布式事务", "事务 模式", "“分布式事务”"):
        assert all("seata" in post.md.lower() or "fescar" in post.md.lower() for post in await _bodies(models, text))
        assert len(await _bodies(models, text)) == 10
    for text in ("borrow checker", '"borrow checker"'):
        found = await _bodies(models, text)
        assert len(found) == 10
        assert all("rust" in post.md.lower() and "borrow" in post.md.lower() for post in found)


async def _bodies(models: Models, text: str) -> list[Any]:
    return await models.bodies.many((await models.search.posts(text)).ids)
