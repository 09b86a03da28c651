"""Links of finished HTML, made whole for readers elsewhere."""

import pytest

from content.absolute import absolute, first_image
from content.markdown import render

BASE = "https://example.org/blog/7-post"


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ('<a href="/about">x</a>', '<a href="https://example.org/about">x</a>'),
        ('<a href="other">x</a>', '<a href="https://example.org/blog/other">x</a>'),
        ('<a href="#part">x</a>', '<a href="https://example.org/blog/7-post#part">x</a>'),
        ('<a href="?a=1&amp;b=2">x</a>', '<a href="https://example.org/blog/7-post?a=1&amp;b=2">x</a>'),
        ('<a href="//cdn.example/x">x</a>', '<a href="https://cdn.example/x">x</a>'),
        ('<a href="mailto:a@b.example">x</a>', '<a href="mailto:a@b.example">x</a>'),
        ('<img alt="a &gt; b" src="a.png">', '<img alt="a &gt; b" src="https://example.org/blog/a.png">'),
        ('<a href="//[">x</a>', '<a href="//[">x</a>'),
        ("<a>x</a>", "<a>x</a>"),
        # What only looks like an address, in text and in a value, stays.
        ('<code>href="/x"</code>', '<code>href="/x"</code>'),
        ('<a title=" href=" href="/x">x</a>', '<a title=" href=" href="https://example.org/x">x</a>'),
        ('<a title="<img src=" href="/x">x</a>', '<a title="<img src=" href="https://example.org/x">x</a>'),
    ],
)
def test_every_address_is_whole_and_nothing_else_changes(html: str, wanted: str) -> None:
    assert absolute(html, BASE) == wanted


def test_what_the_sanitiser_writes_is_understood() -> None:
    md = '[a](/x "quotes \\" and <b>") ![p](p.png)\n\n<a title="a>b" href="y">raw</a>'

    html = absolute(render(md).html, BASE)

    for address in ("https://example.org/x", "https://example.org/blog/p.png", "https://example.org/blog/y"):
        assert f'"{address}"' in html


def test_the_first_image_that_others_can_show() -> None:
    html = (
        '<img src="data:image/png;base64,xx"><img src=""><p>t</p><img alt="" src="/a.png?x=1&amp;y=2"><img src="b.png">'
    )

    assert first_image(html, BASE) == "https://example.org/a.png?x=1&y=2"
    assert first_image("<p>none</p>", BASE) == ""
