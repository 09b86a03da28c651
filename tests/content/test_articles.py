"""What a file of another site says about itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from content.articles import Article, Refused, article, byline, read
from content.markdown import render

POSTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
needs_posts = pytest.mark.skipif(not POSTS.is_dir(), reason=f"needs the posts in {POSTS}")


def yaml(head: str, body: str = "Body\n", stem: str = "file") -> Article:
    return article(f"---\n{head}\n---\n{body}", stem)


@pytest.mark.parametrize(
    "head",
    [
        "date: 2020-04-28", "date: 2020/04/28", "date: 2020/4/28", "date: '2020-04-28'", "date: 2020-04-28T00:00:00Z",
        "date: 2020-04-28 08:00:00 +08:00", "date: 2020/04/28 extra", "path: blog/2020/04/28/x", "path: 2020/4/28",
    ],
)  # fmt: skip
def test_a_date_in_any_usual_spelling(head: str) -> None:
    assert yaml(f"title: T\n{head}").published_at == datetime(2020, 4, 28, tzinfo=UTC)


def test_a_file_name_may_carry_the_date() -> None:
    assert yaml("title: T", stem="2020-04-28-a-title").published_at == datetime(2020, 4, 28, tzinfo=UTC)


def test_a_day_is_midnight_in_the_zone_of_the_site() -> None:
    zone = ZoneInfo("Asia/Shanghai")

    assert article("---\ntitle: T\ndate: 2020-04-28\n---\nB", "f", zone).published_at.astimezone(zone).hour == 0


def test_the_date_goes_before_the_path() -> None:
    assert yaml("title: T\ndate: 2021-01-01\npath: 2020/04/28/x").published_at.year == 2021


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Body", "it has no title and no date"),
        ("---\ntitle: T\n---\nB", "it has no date"),
        ("---\ntitle: T\ndate: soon\n---\nB", "it has no date"),
        ("---\ntitle: T\ndate: 0001-01-01\n---\nB", "it has no date"),
        ("---\ndate: 2020-04-28\n---\nB", "it has no title"),
        ("---\ntitle: T\ndate: 2020-04-28\n---\n \n", "it has no text"),
        (f"---\ntitle: {'T' * 201}\ndate: 2020-04-28\n---\nB", "its title has more than 200 characters"),
        ("---\ntitle: T\ndate: 2020-04-28\ndraft: true\n---\nB", "it is a draft"),
        ("+++\ntitle =\n+++\nB", "its front matter is not TOML"),
    ],
)
def test_a_file_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=f"^{reason}"):
        article(text, "file")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"---\ntitle: \xff\n---\n")

    with pytest.raises(Refused, match="not UTF-8"):
        read(tmp_path / "a.md")


@pytest.mark.parametrize(
    ("head", "authors", "line"),
    [
        ("author: A", ("A",), None),
        ("authors: [A, B, C]", ("A", "B", "C"), "A, B, C"),
        ("authors: [{name: A}]", ("A",), None),
        ("a: b", (), None),
    ],
)
def test_several_authors_become_a_byline(head: str, authors: tuple[str, ...], line: str | None) -> None:
    found = yaml(f"title: T\ndate: 2020-04-28\n{head}").authors

    assert found == authors
    assert byline(found) == line


@pytest.mark.parametrize(
    ("head", "tags"),
    [
        ("tags: [a, b, a]", ("a", "b")),
        ("keywords: Saga，分布式、事务, AT", ("Saga", "分布式", "事务", "AT")),
        ("taxonomies: {tags: [x]}", ("x",)),
        ("tags: 7", ("7",)),
        ("a: b", ()),
    ],
)
def test_tags_or_keywords(head: str, tags: tuple[str, ...]) -> None:
    assert yaml(f"title: T\ndate: 2020-04-28\n{head}").tags == tags


def test_old_addresses_are_paths_from_the_root() -> None:
    head = "title: T\npath: 2020/04/28/x\naliases: [2020/04/28/x.html, /y/, 'https://old.example/z', 2020/04/28/x, /]"

    assert yaml(head).aliases == ("/2020/04/28/x", "/2020/04/28/x.html", "/y", "/z")


@pytest.mark.parametrize("body", ["# T #\n\nBody", "\n# t\nBody", "T\n===\n\nBody"])
def test_a_heading_that_repeats_the_title_is_left_out(body: str) -> None:
    assert yaml("title: T\ndate: 2020-04-28", body).md == "Body"


@pytest.mark.parametrize("body", ["# Other\n\nBody", "## T\nBody", "# T"])
def test_other_headings_stay(body: str) -> None:
    assert yaml("title: T\ndate: 2020-04-28", body).md == body


def every_file(*folders: str) -> Iterator[tuple[str, Article | str]]:
    for folder in folders:
        for file in sorted((POSTS / folder).glob("*.md")):
            try:
                yield f"{folder}/{file.name}", read(file)
            except Refused as refusal:
                yield f"{folder}/{file.name}", str(refusal)


@needs_posts
def test_the_real_posts_come_in_but_four() -> None:
    found = dict(every_file("en", "zh"))
    refused = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    articles = [item for item in found.values() if isinstance(item, Article)]

    assert len(articles) == 787
    assert refused == {
        "en/releases__latest.md": "it has no title and no date",
        "zh/download.md": "it has no date",
        "zh/seata-community-meetup-hangzhou-ready.md": "it has no date",
        "zh/seata-meetup-hangzhou.md": "it has no date",
    }
    assert sum(byline(item.authors) is not None for item in articles) == 8
    assert all(item.authors and item.slug for item in articles)


@needs_posts
def test_the_longest_of_the_real_posts_renders() -> None:
    longest = max((item for _, item in every_file("en") if isinstance(item, Article)), key=lambda item: len(item.md))
    page = render(longest.md).html

    assert len(longest.md) > 170_000
    assert " style=" not in page
    assert "<h1" not in page
