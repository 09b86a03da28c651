"""Links: bare addresses become links, and links that lead away say so to crawlers."""

import re
from collections.abc import Callable

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# An address ends at a space, a quote, and at Chinese text, which follows without a space.
_BARE = re.compile(
    r"(?<![\w/])https?://[\w.-]{1,255}(?::\d{1,5})?(?:[/?#][!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|]{0,2000})?", re.ASCII
)
_FOREIGN = re.compile(r"\s*(https?:|//|\\\\|/\\|\\/)", re.IGNORECASE)
_RAW_LINK = re.compile(r"<a\s([^<>]*)>", re.IGNORECASE)
_RAW_FOREIGN = re.compile(r"""href\s*=\s*["']?\s*(?:https?:|//)""", re.IGNORECASE)


def is_foreign(href: str) -> bool:
    return _FOREIGN.match(href) is not None


def link_rule(rel: str) -> Callable[[StateCore], None]:
    """A core rule that links bare addresses and sets `rel` on every link with a host in it."""

    def mark_links(state: StateCore) -> None:
        for token in state.tokens:
            if token.type == "html_block":
                token.content = _mark_raw(token.content, rel)
            elif token.type == "inline" and token.children:
                token.children = _linked(token.children, rel)

    return mark_links


def _mark_raw(html: str, rel: str) -> str:
    def marked(link: re.Match[str]) -> str:
        return f'<a rel="{rel}" {link[1]}>' if _RAW_FOREIGN.search(link[1]) else link[0]

    return _RAW_LINK.sub(marked, html)


def _linked(children: list[Token], rel: str) -> list[Token]:
    out: list[Token] = []
    inside = raw_inside = 0
    for token in children:
        if token.type == "link_open":
            inside += 1
            if is_foreign(str(token.attrGet("href") or "")):
                token.attrSet("rel", rel)
        elif token.type == "link_close":
            inside -= 1
        elif token.type == "html_inline":
            raw_inside = _raw_depth(token.content, raw_inside)
            token.content = _mark_raw(token.content, rel)
        elif token.type == "text" and not inside and not raw_inside and "://" in token.content:
            out.extend(_split(token.content, rel))
            continue
        out.append(token)
    return out


def _raw_depth(html: str, depth: int) -> int:
    start = html[:3].lower()
    if start in ("<a ", "<a>"):
        return 1
    return 0 if start == "</a" else depth


def _split(text: str, rel: str) -> list[Token]:
    """The text with its addresses made links."""
    out: list[Token] = []
    end = 0
    for found in _BARE.finditer(text):
        href = _trimmed(found[0])
        opening = Token("link_open", "a", 1, attrs={"href": href, "rel": rel}, markup="linkify", info="auto")
        out.append(Token("text", "", 0, content=text[end : found.start()]))
        out += [opening, Token("text", "", 0, content=href), Token("link_close", "a", -1)]
        end = found.start() + len(href)
    out.append(Token("text", "", 0, content=text[end:]))
    return out


def _trimmed(href: str) -> str:
    """Without the full stop or the bracket that belongs to the sentence around it."""
    while True:
        if href[-1] in ".,:;!?'*_~|" or (
            href[-1] in ")]" and href.count(")") + href.count("]") > href.count("(") + href.count("[")
        ):
            href = href[:-1]
        else:
            return href
