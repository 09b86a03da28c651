"""Task lists: `- [ ] to do` and `- [x] done` become disabled checkboxes, each in a label."""

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_BOX = {"[ ] ": "", "[x] ": ' checked=""', "[X] ": ' checked=""'}


def tick_boxes(state: StateCore) -> None:
    """Core rule; runs after the inline rules. Lists are kept on a stack, so a long one costs no more per item."""
    lists: list[Token] = []
    for at, token in enumerate(state.tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(token)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "inline" and at > 1 and state.tokens[at - 2].type == "list_item_open" and token.children:
            first = token.children[0]
            checked = _BOX.get(token.content[:4])
            if checked is None or first.type != "text" or not first.content.startswith(token.content[:3]):
                continue
            first.content = first.content[3:]
            box = f'<label><input type="checkbox" disabled=""{checked}>'
            token.children.insert(0, Token("html_inline", "", 0, content=box))
            token.children.append(Token("html_inline", "", 0, content="</label>"))
            state.tokens[at - 2].attrSet("class", "task")
            lists[-1].attrSet("class", "tasks")
