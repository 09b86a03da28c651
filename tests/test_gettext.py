"""Every sentence that Python tells a visitor is in the catalogue, so that it can be told in their language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from handlers.base import _MESSAGES, HEADINGS
from settings import ROOT

SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*[.?!]")
FILES = sorted(path for folder in ("models", "handlers", "content") for path in (ROOT / folder).glob("*.py"))
# These are read in logs, by us.
NOT_TOLD = (
    "NotFound",
    "Forbidden",
    "Busy",
    "HTTPError",
    "TypeError",
    "log.",
    "SettingsError",
    "Trouble",
)


def catalogue() -> set[str]:
    with (ROOT / "locale" / "plaza.pot").open("rb") as file:
        return {
            part for message in read_po(file) for part in ((message.id,) if isinstance(message.id, str) else message.id)
        }


def told(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of each sentence that is no docstring and no word to ourselves, and of what is translated by name."""
    tree = ast.parse(path.read_text())
    passed_over: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(NOT_TOLD):
            passed_over |= {id(one) for one in ast.walk(node)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed_over.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(one) for one in ast.walk(node)}
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("translate"):
            yield from (
                (node.lineno, a.value) for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in passed_over:
            continue
        if SENTENCE.fullmatch(node.value) and "SELECT" not in node.value:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sentence_is_in_the_catalogue(path: Path) -> None:
    known = catalogue()

    assert [f"{path.name}:{line} {text}" for line, text in told(path) if text not in known] == []


def test_every_error_page_has_its_words_in_the_catalogue() -> None:
    known = catalogue()

    assert [text for text in (*HEADINGS.values(), *_MESSAGES.values()) if text not in known] == []


def test_sentences_are_found_at_all() -> None:
    found = {text for path in FILES for _, text in told(path)}

    assert "A post needs a title." in found
    assert "A name has 2 to 40 characters." in found
    assert len(found) > 30
