"""Nothing that can run gets through, whatever was written."""

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from content.highlight import CLASSES
from content.markdown import render, render_comment
from content.sanitise import clean_comment, clean_post

SAFE_URL = re.compile(r"(https?:|mailto:)|(?![^/?#]*:)", re.DOTALL)  # a colon in the first segment could be a scheme
ATTRIBUTES = frozenset(
    {"href", "src", "alt", "title", "id", "class", "rel", "loading", "width", "height", "align", "colspan", "rowspan"}
    | {"start", "reversed", "value", "max", "open", "datetime", "type", "checked", "disabled", "tabindex", "scope"}
    | {"lang", "dir", "data-poll"}
)
OWN_CLASSES = CLASSES | {
    "highlight",
    "table",
    "anchor",
    "footnote-ref",
    "footnote-backref",
    "footnotes",
    "tasks",
    "task",
    "poll",
}
FORBIDDEN = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "form",
    "button",
    "link",
    "meta",
    "base",
    "h1",
}

ATTACKS = Path(__file__).with_name("attacks.txt").read_text("utf-8").splitlines()

PIECES = [
    *ATTACKS,
    "<",
    ">",
    '"',
    "'",
    "`",
    "&",
    "/",
    "=",
    "(",
    ")",
    "[",
    "]",
    "!",
    "\n",
    "\n\n",
    "    ",
    "on",
    "script",
    "style",
    "src=",
    "中",
]
SOUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join)


def elements(html: str) -> Iterator[Element]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # html5lib's own deprecations
        root: Element = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    return root.iter()


def check(html: str) -> None:
    """Fails when the HTML, as a browser would read it, holds anything that is not in the contract of the renderer."""
    assert "<!--" not in html
    for element in elements(html):
        assert isinstance(element.tag, str)
        assert element.tag not in FORBIDDEN, html
        assert "{" not in element.tag, html  # no foreign namespace
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES, html
            if name in ("href", "src"):
                assert SAFE_URL.match(re.sub(r"[\x00-\x20]", "", value).lower()), html
        classes = set(element.get("class", "").split())
        assert all(name in OWN_CLASSES or name.startswith("language-") for name in classes), html
        if element.tag == "input":
            assert element.get("type", "checkbox") == "checkbox", html
            assert "disabled" in element.attrib, html


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "show",
    [lambda md: render(md).html, render_comment, clean_post, clean_comment],
    ids=["post", "comment", "clean_post", "clean_comment"],
)
def test_an_attack_becomes_harmless(attack: str, show: Callable[[str], str]) -> None:
    check(show(attack))
    check(show(f"> - {attack}\n\n<div>\n\n**{attack}**"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example("\n".join(ATTACKS))
@given(SOUP)
def test_no_mixture_of_attacks_gets_through(md: str) -> None:
    check(render(md).html)
    check(render_comment(md))


@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_cleaning_twice_changes_nothing(md: str) -> None:
    once = clean_post(md)

    assert clean_post(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_renders(md: str) -> None:
    check(render(md).html)
    check(render_comment(md))
    assert len(render(md).excerpt) <= 400


def test_no_two_elements_of_a_body_have_one_id() -> None:
    html = render('## a\n## a\n<p id="a">x</p>\n\nb[^1]\n\n## fn 1\n\n<p id="fn-1">x</p>\n\n[^1]: n').html
    ids = [element.get("id") for element in elements(html) if element.get("id")]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "id", ["main", "comments", "comment-1", "thread-9", "name-error", "Body", "a b", "x" * 200, "a>b"]
)
def test_raw_html_gets_no_id_of_the_page(id: str) -> None:
    assert f'id="{id}"' not in render(f'<p id="{id}">x</p>').html


@pytest.mark.parametrize("value", ["100", "50%", "1.5"])
def test_sizes_are_numbers(value: str) -> None:
    assert f'width="{value}"' in render(f'<img src="a.png" width="{value}">').html
    assert "width" not in render(f'<img src="a.png" width="{value}px;x">').html


def test_a_comment_has_no_ids_images_headings_or_tables() -> None:
    html = render_comment('# a\n\n![i](/i.png)\n\n|a|\n|-|\n|b|\n\n<p id="x">raw</p>\n\nb\n===\n\n---\n\n[^1]: x')

    assert {element.tag for element in elements(html)} <= {"DOCUMENT_FRAGMENT", "p", "br", "a"}
    assert not any(element.get("id") for element in elements(html))


def test_a_comment_keeps_its_subset() -> None:
    md = "*a* **b** ~~c~~ `d`\ne\n\n- f\n\n1. g\n\n> h\n\n```py\ni = 1\n```\n\n[j](/k) https://l.example"

    tags = {element.tag for element in elements(render_comment(md))}
    assert tags >= {"p", "em", "strong", "s", "code", "br", "ul", "ol", "li", "blockquote", "pre", "div", "span", "a"}
    assert '<a href="https://l.example" rel="nofollow noopener ugc">' in render_comment(md)


def test_a_box_has_no_id_by_which_a_form_around_it_would_know_it() -> None:
    assert 'id="title"' not in render('<input type="checkbox" id="title"> x').html
    assert 'id="anchor"' in render('<p id="anchor">x</p>').html
