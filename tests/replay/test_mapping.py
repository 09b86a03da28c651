"""Addresses of one site onto those of another, by popularity; and where a site's addresses are found."""

import gzip
from pathlib import Path

import pytest

from replay import places
from replay.mapping import Places, Popularity, kind_of
from replay.places import NoPlaces
from tests.replay.small_site import Answer, small_site

HERE = [
    "/about",
    "/blog/1-a",
    "/blog/2-b",
    "/blog/3-c",
    "/",
    "/feed.atom",
    "/static/x.css",
    "/static/icon.svg",
    "/robots.txt",
]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/", "front"), ("/index.html", "front"), ("/?flav=rss20", "feed"), ("/blog/tags/puppet?flav=rss20", "feed"),
        ("/feed.json", "feed"), ("/atom.xml", "feed"), ("/blog/tags/x", "tag"), ("/a/b.PNG", "picture"), ("/style2.css", "asset"),
        ("/fonts/a.woff2", "asset"), ("/images/a.pdf", "file"), ("/files/x.jar", "file"), ("/blog/geekery/ssl.html", "page"),
        ("/projects/xdotool/", "page"), ("/blog/12-what-1.0-means", "page"), ("/favicon.ico", "well known"),
        ("/robots.txt", "well known"), ("/feedback", "page"), ("//x//y", "page"),
    ],
)  # fmt: skip
def test_an_address_tells_its_kind(address: str, kind: str) -> None:
    assert kind_of(address) == kind


def settled(asked: dict[tuple[str, int], int], here: list[str] = HERE) -> Popularity:
    made = Popularity(Places(here))
    for (target, status), times in asked.items():
        for _ in range(times):
            made.saw(target, status)
    made.settle()
    return made


def test_the_most_asked_page_becomes_the_first_of_the_largest_family() -> None:
    made = settled(
        {("/rare.html", 200): 1, ("/often.html", 200): 9, ("/middle.html?x=1", 200): 2, ("/middle.html", 304): 3}
    )

    assert made.place_of("/often.html", 200) == "/blog/1-a"
    assert made.place_of("/middle.html", 200) == "/blog/2-b"
    assert made.place_of("/rare.html", 304) == "/blog/3-c"


def test_where_there_are_more_pages_than_places_they_begin_anew() -> None:
    made = settled({(f"/{n}.html", 200): 20 - n for n in range(6)})

    found = [made.place_of(f"/{n}.html", 200) for n in range(6)]

    assert found == ["/blog/1-a", "/blog/2-b", "/blog/3-c", "/about", "/blog/1-a", "/blog/2-b"]


def test_kinds_keep_to_themselves_or_go_to_the_nearest() -> None:
    made = settled({("/", 200): 1, ("/?flav=atom", 200): 2, ("/a.png", 200): 1, ("/a.css", 200): 1, ("/a.pdf", 200): 1,
                    ("/tag/x", 200): 1})  # fmt: skip

    assert made.place_of("/", 200) == "/"
    assert made.place_of("/?flav=atom", 200) == "/feed.atom"
    assert made.place_of("/a.png", 200) == made.place_of("/a.pdf", 200) == "/static/icon.svg"
    assert made.place_of("/a.css", 200) == "/static/x.css"
    assert made.place_of("/tag/x", 200) == "/blog/1-a"


def test_what_was_not_found_is_not_found_here_either() -> None:
    made = settled(
        {("/wp-login.php?a=b", 404): 1, ("/blog/2-b", 404): 1, ("/blog/unknown", 410): 1, ("/robots.txt", 404): 1}
    )

    found = [
        made.place_of(target, 404) for target in ("/wp-login.php?a=b", "/blog/2-b", "/blog/unknown", "/robots.txt")
    ]

    assert found == ["/wp-login.php", "/not-here/blog/2-b", "/not-here/blog/unknown", "/not-here/robots.txt"]


def test_an_icon_that_is_not_here_becomes_one_that_is_and_the_rest_is_told() -> None:
    made = settled(
        {("/favicon.ico", 200): 3, ("/robots.txt", 200): 2, ("/ads.txt", 200): 4, ("/x?format=rss", 200): 1}, HERE
    )

    assert made.place_of("/favicon.ico", 200) == "/static/icon.svg"
    assert made.place_of("/robots.txt", 200) == "/robots.txt"
    assert made.place_of("/ads.txt", 200) is None
    (well_known,) = [kind for kind in made.settle() if kind.kind == "well known"]
    assert (well_known.unmapped, well_known.examples) == (4, ["/ads.txt"])


def test_a_site_without_feeds_gets_no_feed() -> None:
    made = settled({("/rss", 200): 5}, ["/", "/blog/1-a"])

    assert made.place_of("/rss", 200) is None
    assert [(kind.kind, kind.unmapped) for kind in made.settle()] == [("feed", 5)]


def test_of_a_query_stays_what_any_site_bears() -> None:
    made = settled({("/a.html", 200): 1, ("/?feed=rss", 200): 1}, [*HERE, "/all?feed=rss"])

    assert made.place_of("/a.html?utm_source=x&id=7&flav=2", 200) == "/blog/1-a?utm_source=x"


SITEMAP = "<sitemapindex><sitemap><loc>https://other.example{}</loc></sitemap><sitemap><loc>/b.xml.gz</loc></sitemap></sitemapindex>"
PAGES: dict[str, Answer] = {
    "/sitemap.xml": (200, "application/xml", SITEMAP.format("/a.xml")),
    "/a.xml": (
        200,
        "application/xml",
        "<urlset><url><loc>https://other.example/blog/1-a?x=1&amp;y=2</loc></url></urlset>",
    ),
    "/b.xml.gz": (
        200,
        "application/gzip",
        gzip.compress(b"<urlset><url><loc>http://other.example/</loc></url></urlset>"),
    ),
    "/": (
        200,
        "text/html",
        '<link rel=alternate href="/feed.atom"><img src="pic.png"><a href="http://else.example/x">',
    ),
    "/robots.txt": (200, "text/plain", "User-agent: *"),
}


def answer(path: str) -> Answer:
    return PAGES.get(path, (404, "text/html", "no"))


def test_a_site_tells_its_addresses_by_its_sitemap_and_its_links() -> None:
    with small_site(answer) as site:
        found = places.of_site(site.url)

    assert found == ["/blog/1-a?x=1&y=2", "/", "/feed.atom", "/pic.png", "/robots.txt", "/sitemap.xml"]


def test_addresses_that_need_quoting_are_quoted() -> None:
    told = "<urlset><url><loc>http://x/tag/\u4e2d</loc></url><url><loc>http://x/a b?c=%20</loc></url></urlset>"
    with small_site(lambda path: (200, "application/xml", told) if "xml" in path else (404, "text/html", "")) as site:
        found = places.of_site(site.url)

    assert found == ["/tag/%E4%B8%AD", "/a%20b?c=%20", "/sitemap.xml"]
    assert "/tag/%E4%B8%AD" in site.asked


def test_a_site_that_leads_to_itself_is_read_once() -> None:
    whole = (200, "application/xml", SITEMAP.format("/sitemap.xml"))
    with small_site(lambda path: whole if "xml" in path else (404, "text/html", "")) as site:
        found = places.of_site(site.url)

    assert found == ["/sitemap.xml"]
    assert len(site.asked) < 15


def test_a_site_that_is_not_there_or_says_nothing_is_told_in_a_line(tmp_path: Path) -> None:
    with small_site(lambda path: (500, "text/html", "")) as site:
        url = site.url
        with pytest.raises(NoPlaces, match="no sitemap"):
            places.of_site(url)
    with pytest.raises(NoPlaces, match="does not answer"):
        places.of_site(url)
    for wrong in ("ftp://x", "nonsense", "http://[", "http://x:99999", "http://me:secret@x.example"):
        with pytest.raises(NoPlaces, match="no address of a site"):
            places.of_site(wrong)


def test_addresses_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    file.write_text("# ours\n/\n\nhttps://x.example/blog/1-a?b=c#d\n/\n")

    assert places.of_file(file) == ["/", "/blog/1-a?b=c"]
    for text, told in (("blog\n", ":1: this is no address"), ("\n", "holds no address")):
        file.write_text(text)
        with pytest.raises(NoPlaces, match=told):
            places.of_file(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(NoPlaces, match="no list"):
        places.of_file(file)
