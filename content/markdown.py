"""Markdown to the HTML that is stored: the same text gives the same bytes, and nothing in them can run.

Code is the one exception: a block whose colours take the machine too long (content/highlight.py) is plain.

Classes that the HTML can contain, for the style sheet:
  div.highlight > pre > code.language-<name>   a code block; inside it span with the classes of Pygments:
      k kc kd kn kp kr kt (keywords)  s sa sb sc dl sd s2 se sh si sx sr s1 ss (strings)  m mb mf mh mi il mo (numbers)
      c ch cm cp cpf c1 cs (comments)  o ow (operators)  na nb bp nc no nd ni ne nf fm nl nn nx py nt nv
      vc vg vi vm (names)
      gd gi gh gu ge gs ges gr go gp gt (diffs and consoles: deleted, inserted, headings, emphasis, output, prompt)
  a.anchor                  the "#" behind the text of a heading        h2[id] .. h6[id]
  sup.footnote-ref > a      the mark in the text     section.footnotes > ol > li     the notes     a.footnote-backref
  ul.tasks > li.task > label > input[type=checkbox][disabled]     a task list
  p.poll > a[data-poll]     a poll, which static/poll.js draws in its place
  div.table[tabindex=0] > table     scrolls sideways; td[align], th[align]    pre[tabindex=0]          img[loading=lazy]
Plain elements come as they are: blockquote table hr del kbd mark details summary progress figure aside dl sup sub.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin

from content.headings import number_headings
from content.highlight import highlight, language
from content.links import link_rule
from content.polls import poll_plugin
from content.sanitise import COMMENT_REL, POST_REL, clean_comment, clean_post
from content.slugs import excerpt
from content.tasks import tick_boxes

MOST_CHARACTERS = 500_000  # of a post
MOST_COMMENT_CHARACTERS = 20_000
MOST_COMMENT_HTML = 65_000  # bytes; a TEXT column holds 65,535
MOST_BRACKETS = 50_000  # each unmatched one costs the parser 40 microseconds
MOST_TAGS = 15_000  # of raw HTML; unclosed ones cost the sanitiser the square of their number
MOST_HTML = 3_000_000  # characters that go into the database
DEEPEST = 24  # levels of lists and quotes; a list takes two
MOST_LINES = 30_000  # each costs the parser 4 microseconds for every quote it stands in
LONGEST_COLOURED = 60_000  # characters of one code block; longer ones stay plain
LONGEST_EXCERPT = 400  # the width of a summary
_RAW_H1 = re.compile(r"<(/?)h1\b", re.IGNORECASE)
_NOSCRIPT = re.compile(r"</?noscript\b[^<>]*>", re.IGNORECASE)


class TooLong(ValueError):
    """The text is too long or nested too deep; the message says which, for the author."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The final HTML of a body, and its first words as plain text of at most 400 characters."""

    html: str
    excerpt: str


def render(md: str) -> Rendered:
    """The body of a post. Takes a second for the longest; call it in a thread. Raises TooLong."""
    tokens, env = _parsed(_POST, md, MOST_CHARACTERS)
    first_words = excerpt(" ".join(_paragraphs(tokens)), LONGEST_EXCERPT)
    html = _POST.renderer.render(tokens, _POST.options, env)
    if len(html) > MOST_HTML:
        raise TooLong("The text makes more than 3,000,000 characters of HTML.")
    return Rendered(clean_post(html), first_words)


def render_comment(md: str) -> str:
    """The body of a comment: paragraphs, emphasis, links, code, lists, quotes. Raises TooLong."""
    tokens, env = _parsed(_COMMENT, md, MOST_COMMENT_CHARACTERS)
    html = clean_comment(_COMMENT.renderer.render(tokens, _COMMENT.options, env))
    if len(html.encode()) > MOST_COMMENT_HTML:
        raise TooLong("The comment is too long.")
    return html


def _parsed(parser: MarkdownIt, md: str, most: int) -> tuple[list[Token], dict[str, Any]]:
    if len(md) > most:
        raise TooLong("The text is too long.")
    if md.count("\n") + md.count("\r") > MOST_LINES:
        raise TooLong("The text has more than 30,000 lines.")
    if md.count("[") > MOST_BRACKETS:
        raise TooLong("The text has more than 50,000 opening brackets.")
    env: dict[str, Any] = {}
    try:
        tokens = parser.parse(md, env)
    except RecursionError:
        raise TooLong("The text is nested too deep.") from None
    # The parser leaves out what lies deeper without a word.
    if any(token.level >= DEEPEST - 1 for token in tokens):
        raise TooLong("Lists or quotes are nested too deep.")
    if sum(_tags(token) for token in tokens) > MOST_TAGS:
        raise TooLong("The text has more than 15,000 HTML tags.")
    return tokens, env


def _tags(token: Token) -> int:
    own = token.content.count("<") if token.type in ("html_block", "html_inline") else 0
    return own + sum(_tags(child) for child in token.children or ())


def _paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    """The text of the first paragraphs that stand on their own, enough for an excerpt."""
    length = 0
    for at, token in enumerate(tokens):
        if token.type == "inline" and token.level == 1 and tokens[at - 1].type == "paragraph_open":
            text = "".join(_plain(token.children or []))
            if text.strip():
                yield text
                length += len(text)
        if length > LONGEST_EXCERPT:
            return


def _plain(children: Sequence[Token]) -> Iterator[str]:
    for child in children:
        if child.type in ("text", "code_inline"):
            yield child.content
        elif child.type in ("softbreak", "hardbreak"):
            yield " "


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    source, name = tokens[at].content, language(tokens[at].info)
    if not name or len(source) > LONGEST_COLOURED:
        return f'<div class="highlight"><pre><code>{escape(source, quote=False)}</code></pre></div>\n'
    return f'<div class="highlight"><pre><code class="language-{name}">{highlight(source, name)}</code></pre></div>\n'


def _raw(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Raw HTML; h1 is kept for the title, and what stands in for a script is shown, for none runs here."""
    return _NOSCRIPT.sub("", _RAW_H1.sub(r"<\1h2", tokens[at].content))


def _note_number(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    meta = tokens[at].meta
    nth = meta.get("subId", 0)
    return f"{meta['id'] + 1}-{nth}" if nth > 0 else str(meta["id"] + 1)


def _note_ref(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    number = tokens[at].meta["id"] + 1
    place = _note_number(self, tokens, at, options, env)
    return f'<sup class="footnote-ref"><a href="#fn-{number}" id="fnref-{place}">[{number}]</a></sup>'


def _note_back(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return f' <a href="#fnref-{_note_number(self, tokens, at, options, env)}" class="footnote-backref">\u21a9\ufe0e</a>'


def _note_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return f'<li id="fn-{tokens[at].meta["id"] + 1}">'


def _notes_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return '<section class="footnotes">\n<ol>\n'


def _cell(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """Alignment by attribute: the policy of the site lets no inline style through."""
    style = str(tokens[at].attrs.pop("style", ""))
    if style:
        tokens[at].attrSet("align", style.removeprefix("text-align:"))
    return self.renderToken(tokens, at, options, env)


def _table_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


def _post_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False).use(poll_plugin)
    parser.core.ruler.after("inline", "links", link_rule(POST_REL))
    parser.core.ruler.after("inline", "tasks", tick_boxes)
    parser.core.ruler.push("headings", number_headings)
    rules = {
        "fence": _fence, "code_block": _fence, "html_block": _raw, "html_inline": _raw, "th_open": _cell,
        "td_open": _cell, "table_open": _table_open, "table_close": _table_close,
        "footnote_ref": _note_ref, "footnote_anchor": _note_back, "footnote_open": _note_open,
        "footnote_block_open": _notes_open,
    }  # fmt: skip
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _comment_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": DEEPEST}).enable("strikethrough")
    parser.disable(["heading", "lheading", "hr", "html_block", "html_inline", "image", "reference"])
    parser.core.ruler.after("inline", "links", link_rule(COMMENT_REL))
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, _fence)
    return parser


_POST = _post_parser()
_COMMENT = _comment_parser()
