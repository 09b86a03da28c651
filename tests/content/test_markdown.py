"""What the renderer makes of a post's Markdown."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name

from content.highlight import LANGUAGES
from content.markdown import MOST_CHARACTERS, TooLong, render

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = """
Intro with **bold**, *soft*, ~~gone~~ and `code`.[^n]

# One

| left | right |
|:-----|------:|
| a    | 1     |

## Two

- [x] done
- [ ] open

```rust,ignore
fn main() { println!("{}", 1); } // why
```

[^n]: A note.
"""


def html(md: str) -> str:
    return render(md).html


def test_the_same_text_gives_the_same_bytes_in_every_process() -> None:
    program = "import sys; from content.markdown import render; sys.stdout.write(render(sys.stdin.read()).html)"
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=EVERYTHING.encode(), capture_output=True, check=True, cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip

    assert runs == {html(EVERYTHING).encode()}


@pytest.mark.parametrize(
    ("md", "levels"),
    [
        ("# a\n## b\n### c", "234"),
        ("### a\n##### b\n### c", "232"),
        ("### a\n## b", "22"),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", "234566"),
    ],
)
def test_headings_start_under_the_title_and_skip_no_level(md: str, levels: str) -> None:
    assert "".join(part[0] for part in html(md).split("<h")[1:]) == levels


def test_raw_h1_leaves_the_title_alone() -> None:
    assert html("<h1>Big</h1>") == "<h2>Big</h2>"


def test_headings_have_an_id_and_a_link_to_it() -> None:
    assert html("## Why `L1`?") == '<h2 id="why-l1">Why <code>L1</code>? <a class="anchor" href="#why-l1">#</a></h2>\n'


def test_heading_ids_keep_chinese_and_are_never_equal() -> None:
    page = html("## 四层 缓存！\n## 四层 缓存\n## 四层-缓存-1\n## a {#own}\n## own")

    assert [part.split('"')[0] for part in page.split(' id="')[1:]] == [
        "四层-缓存",
        "四层-缓存-1",
        "四层-缓存-1-1",
        "own",
        "own-1",
    ]


@pytest.mark.parametrize("title", ["Main", "Comments", "comment 7", "thread-1", "fn 1", "Body error"])
def test_headings_do_not_take_the_ids_of_the_page(title: str) -> None:
    words = title.lower().replace(" ", "-")

    assert f' id="{words}"' not in html(f"## {title}")
    assert f' id="{words}-"' in html(f"## {title}")


def test_of_equal_ids_the_first_stays() -> None:
    assert html('<p id="x">1</p>\n\n<p id="x">2</p>') == '<p id="x">1</p>\n<p>2</p>'


def test_footnotes_link_there_and_back() -> None:
    page = html("a[^1] b[^1]\n\n[^1]: Note.")

    assert '<sup class="footnote-ref"><a href="#fn-1" id="fnref-1">[1]</a></sup>' in page
    assert '<li id="fn-1"><p>Note. <a href="#fnref-1" class="footnote-backref">' in page
    assert 'id="fnref-1-1"' in page
    assert 'href="#fnref-1-1"' in page


def test_tables_align_by_attribute() -> None:
    page = html("| a | b |\n|:-:|--:|\n| 1 | 2 |")

    assert '<div class="table" tabindex="0"><table>' in page
    assert '<th align="center">a</th>' in page
    assert '<td align="right">2</td>' in page


def test_boxes_of_task_lists_are_labelled_and_disabled() -> None:
    page = html("- [x] done\n- [ ] open\n- [ ]no")

    assert '<li class="task"><label><input type="checkbox" disabled="" checked=""> done</label></li>' in page
    assert '<input type="checkbox" disabled=""> open' in page
    assert "<li>[ ]no</li>" in page


def test_a_tab_behind_the_box_is_no_error() -> None:
    assert "[x]\tdone" in html("- [x]\tdone")


@pytest.mark.parametrize("info", ["rust", "rust,ignore", "Rust", "rust {.x}", "rs"])
def test_code_is_coloured_by_classes(info: str) -> None:
    page = html(f"```{info}\nfn main() {{}}\n```")

    assert page.startswith('<div class="highlight"><pre tabindex="0"><code class="language-')
    assert '<span class="k">fn</span> <span class="nf">main</span>() {}' in page


@pytest.mark.parametrize("info", ["", "whatever", "../x", "text"])
def test_code_of_other_languages_stays_plain(info: str) -> None:
    assert (
        html(f"```{info}\na < b\n```")
        == '<div class="highlight"><pre tabindex="0"><code>a &lt; b\n</code></pre></div>\n'
    )


@pytest.mark.parametrize("name", sorted(set(LANGUAGES.values())))
def test_every_language_has_a_lexer_that_keeps_the_text(name: str) -> None:
    source = 'if x == "a": # 注\n\tone --two 3.5 <b>&amp;</b>\n'

    assert (
        "".join(text for _, text in get_lexer_by_name(name, stripnl=False, ensurenl=False).get_tokens(source)) == source
    )


@pytest.mark.parametrize(
    ("md", "href"),
    [
        ("see https://a.example/x_(y).", "https://a.example/x_(y)"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("见https://a.example/路径", "https://a.example/"),
        ("https://a.example，然后", "https://a.example"),
        ("<https://a.example/?a=1&b=2>", "https://a.example/?a=1&amp;b=2"),
    ],
)
def test_bare_addresses_become_links(md: str, href: str) -> None:
    assert f'<a href="{href}" rel="nofollow noopener">' in html(md)


def test_addresses_in_code_and_in_links_stay_text() -> None:
    assert html("`https://a.example`") == "<p><code>https://a.example</code></p>\n"
    assert html("[https://a.example](/x)") == '<p><a href="/x">https://a.example</a></p>\n'
    assert html('<a href="/x">https://a.example</a>') == '<p><a href="/x">https://a.example</a></p>\n'


def test_relative_links_are_kept_as_they_are() -> None:
    assert html("[a](../b.html#c) [d](/e)") == '<p><a href="../b.html#c">a</a> <a href="/e">d</a></p>\n'


def test_links_to_other_hosts_are_marked_in_raw_html_too() -> None:
    assert 'rel="nofollow noopener"' in html('<div><a target="_blank" href="//a.example">x</a></div>')


def test_images_load_late() -> None:
    assert html('![a](b.png "c")') == '<p><img src="b.png" alt="a" title="c" loading="lazy"></p>\n'


def test_what_stands_in_for_a_script_is_shown() -> None:
    assert html('<noscript><img src="a.png"></noscript>') == '<p><img src="a.png" loading="lazy"></p>\n'


@pytest.mark.parametrize(
    ("md", "words"),
    [
        ("# Title\n\nFirst *words*[^1]\nof `it`.\n\n- list\n\nSecond.\n\n[^1]: Note.", "First words of it. Second."),
        ("> quote\n\nText", "Text"),
        ("```\ncode\n```", ""),
        ("四层缓存，" * 200, ("四层缓存，" * 80)[:399].rstrip("，") + "…"),
    ],
)
def test_the_excerpt_is_the_plain_text_of_the_first_paragraphs(md: str, words: str) -> None:
    assert render(md).excerpt == words


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLong, match="too long"):
        render("a" * (MOST_CHARACTERS + 1))


HOSTILE = [
    ("*", 100_000),
    ("**a", 30_000),
    ("![", 60_000),
    ("[", 20_000),
    ("![", 20_000),
    ("[^", 20_000),
    ("[a](", 20_000),
    (">", 100_000),
    ("- ", 50_000),
    ("- a\n", 10_000),
    ("- [ ] a\n", 10_000),
    ("# a\n", 10_000),
    ("|", 100_000),
    ("`", 200_000),
    ("<div>", 15_000),
    ("<ul><li>", 7_000),
    ("<b>a\n\n", 10_000),
    ("<!--", 50_000),
    ("<?", 50_000),
    ("&", 200_000),
    ("\\", 200_000),
]
HOSTILE_TEXTS = {
    "lazy quotes": "> " * 20 + "a\n" * 10_000,
    "too many lines": "> " * 9 + "a\n" * 60_000,
    "backticks": "".join("`" * n + " " for n in range(600)),
    "address": "http://a.b/" + "(" * 100_000,
    "one footnote": "[^a]" * 60_000 + "\n\n[^a]: x",
    "comments in rust": "```rust\n" + "/*" * 29_000 + "\n```",
    "tags in html": "```html\n" + "<a " * 19_000 + "\n```",
    "reference title": "[a]: b '" + "x\n" * 30_000,
} | {f"{unit!r} x {n}": unit * n for unit, n in HOSTILE}


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_hostile_input_is_bounded(name: str) -> None:
    start = time.process_time()

    with contextlib.suppress(TooLong):
        render(HOSTILE_TEXTS[name])

    assert time.process_time() - start < 30  # s; under 1 on a machine at rest, minutes if it grew with the square


@pytest.mark.parametrize(
    "name", ["html", "xml", "bash", "php", "javascript", "python", "yaml", "sql", "css", "go", "java", "toml", "rust"]
)
def test_hostile_code_is_bounded(name: str) -> None:
    start = time.process_time()

    for unit in ("<", "'", '"', "(", "{", "/*", "\\", "a", " ", "$(", "#", "\t\n", "<a ", "- ", "`"):
        html(f"```{name}\nx" + unit * (3_000 // len(unit)) + "\n```")

    assert time.process_time() - start < 60  # s


@pytest.mark.parametrize(
    ("md", "made"),
    [
        ("{{poll:12}}", "POLL"), ("one\n{{poll:12}}\ntwo", "<p>one</p>\nPOLL<p>two</p>\n"), ("{{poll:12}} \t", "POLL"),
        ("> {{poll:12}}", "<blockquote>\nPOLL</blockquote>\n"), ("- {{poll:12}}", "<ul>\n<li>\nPOLL</li>\n</ul>\n"),
        ("{{poll:12}}\n---", "POLL<hr>\n"), ("{{poll:12}}\n{{poll:12}}", "POLLPOLL"),
    ],
)  # fmt: skip
def test_a_poll_alone_on_its_line_becomes_a_link_to_it(md: str, made: str) -> None:
    link = '<p class="poll"><a href="/polls/12" data-poll="12">Poll 12 · 投票 12</a></p>\n'

    assert html(md) == made.replace("POLL", link)


@pytest.mark.parametrize(
    "md",
    [
        "see {{poll:12}}", "{{poll:12}} there", "{{poll:0}}", "{{poll:012}}", "{{poll:1234567890123456789}}", "{{poll:x}}",
        "{{poll:١}}", "{{ poll:12 }}", "`{{poll:12}}`", "    {{poll:12}}", "```\n{{poll:12}}\n```",
    ],
)  # fmt: skip
def test_what_is_no_poll_on_a_line_of_its_own_stays_text(md: str) -> None:
    assert "data-poll" not in html(md)


def test_a_poll_is_no_part_of_the_first_words() -> None:
    assert render("Before.\n\n{{poll:12}}\n\nAfter.").excerpt == "Before. After."


def test_raw_html_names_a_poll_only_by_its_number() -> None:
    assert "data-poll" not in html('<a href="/x" data-poll="../me">x</a> <a data-poll="0">y</a> <p data-poll="1">z</p>')
