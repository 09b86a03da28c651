"""Headings of a body: levels under the page's own h1, an id and a link to each."""

import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_GIVEN = re.compile(r"\s*\{#([\w.:-]{1,120})\}\s*$")
_NOT_IN_ID = re.compile(r"[\W_]+")
LONGEST_ID = 120

# What the page around a body may use itself; no heading and no raw HTML gets such an id.
RESERVED = re.compile(
    r"(?i)main|header|footer|comments?|speak|body|form|me|parent_id|true"
    r"|comment-tools|(comment|thread|year|poll|plaza)-\d+|.*-(title|error|hint)|fn(ref)?-\d.*"
)


def number_headings(state: StateCore) -> None:
    """Core rule: closes gaps between levels, so that a body starts at h2 and never skips one; sets ids and anchors."""
    above: list[int] = []
    taken = {
        given
        for at, token in enumerate(state.tokens)
        if token.type == "heading_open" and (given := _given_id(state.tokens, at))
    }
    counts: dict[str, int] = {}
    for at, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        level = int(token.tag[1])
        while above and above[-1] >= level:
            above.pop()
        above.append(level)
        token.tag = state.tokens[at + 2].tag = f"h{min(len(above) + 1, 6)}"
        inline = state.tokens[at + 1]
        name = str(token.meta.get("given") or "") or _unique(_words(inline), taken, counts)
        token.attrSet("id", name)
        link = [Token("text", "", 0, content=" "), Token("link_open", "a", 1), Token("text", "", 0, content="#")]
        link[1].attrs = {"class": "anchor", "href": f"#{name}"}
        inline.children = [*(inline.children or []), *link, Token("link_close", "a", -1)]


def _given_id(tokens: list[Token], at: int) -> str:
    """The id that the author wrote as `## Title {#id}`; takes it out of the text."""
    inline = tokens[at + 1]
    last = inline.children[-1] if inline.children else None
    found = _GIVEN.search(last.content) if last and last.type == "text" else None
    if last is None or found is None or RESERVED.fullmatch(found[1]):
        return ""
    last.content = last.content[: found.start()]
    tokens[at].meta["given"] = found[1]
    return found[1]


def _words(inline: Token) -> str:
    text = "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
    words = _NOT_IN_ID.sub("-", text.lower())[:LONGEST_ID].strip("-") or "section"
    return f"{words}-" if RESERVED.fullmatch(words) else words


def _unique(words: str, taken: set[str], counts: dict[str, int]) -> str:
    """The words, with a number behind when they are taken; counts keeps this linear for a thousand equal titles."""
    name = words
    while name in taken:
        counts[words] = counts.get(words, 0) + 1
        name = f"{words}-{counts[words]}"
    taken.add(name)
    return name
