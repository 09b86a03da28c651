"""Polls in a text: a line `{{poll:12}}` becomes a link to the poll, which a script may draw in its place."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_LINE = re.compile(rf"\{{\{{poll:({NUMBER.pattern})\}}\}}[ \t]*", re.ASCII)


def poll_plugin(parser: MarkdownIt) -> None:
    """The line may stand between the lines of a paragraph, in a quotation or in a list; in code it is code."""
    parser.block.ruler.before("lheading", "poll", _poll, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("poll", _drawn)


def _poll(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    if state.is_code_block(line):
        return False
    found = _LINE.fullmatch(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])
    if found is None:
        return False
    if not silent:
        state.line = line + 1
        token = state.push("poll", "p", 0)
        token.content, token.map = found[1], [line, state.line]
    return True


def _drawn(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """In both languages, for the text is stored once for the readers of both."""
    id = tokens[at].content
    return f'<p class="poll"><a href="/polls/{id}" data-poll="{id}">Poll {id} · 投票 {id}</a></p>\n'
