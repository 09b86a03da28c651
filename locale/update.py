"""Collects the texts of the interface into plaza.pot and brings each language's .po up to date.

Run it as `.venv/bin/python locale/update.py`; docs/translating.md says when.

Of templates, those of mails too, what passes gettext. Of Python (handlers, models, content): what is given to `translate`,
the headings of errors, and every literal that is a sentence (a capital first, a full stop last, a space between), for such
are written for people; so nothing needs a mark, and nothing can be forgotten. Docstrings and the patterns of f-strings are no
literals.
"""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE_OPTIONS = {"trimmed": "true", "extensions": "jinja2.ext.do", "trim_blocks": "true", "lstrip_blocks": "true"}
CODE = ("handlers", "models", "content")
GIVEN_TO = frozenset({"translate", "N_", "_"})
TABLES = frozenset({"HEADINGS"})
_SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*[.?]")

Found = tuple[int, str | tuple[str, str]]


def template_texts(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for line, name, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), TEMPLATE_OPTIONS):
            texts = [text for text in (message if isinstance(message, tuple) else (message,)) if text is not None]
            if texts:  # the keywords of a call come as None
                yield line, (texts[0], texts[1]) if name == "ngettext" else texts[0]


def code_texts(path: Path) -> Iterator[Found]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.JoinedStr):
            aside.update(id(part) for part in ast.walk(node) if isinstance(node, ast.JoinedStr) or part is node.value)
    for node in ast.walk(tree):
        whole = _names(node) & (GIVEN_TO | TABLES)
        for part in ast.walk(node) if whole else (node,):
            if not isinstance(part, ast.Constant) or not isinstance(part.value, str) or id(part) in aside:
                continue
            if (whole and part.value) or _SENTENCE.fullmatch(part.value):
                yield part.lineno, part.value


def _names(node: ast.AST) -> set[str]:
    """What a call calls, or an assignment fills."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=[ast.Name(id=name)]):
            return {name}
    return set()


def collect() -> Catalog:
    """All texts, in the order of files and lines; a text is told by the files it stands in, so that lines may move."""
    catalog = Catalog(project="Plaza", version="1", charset="utf-8", fuzzy=False)
    drawn = (*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates/mails").glob("*.txt"))
    files = [(path, template_texts) for path in sorted(drawn)]
    files += [(path, code_texts) for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    for path, texts in files:
        for _, message in texts(path):
            name = path.relative_to(ROOT).as_posix()
            known = catalog.get(message if isinstance(message, str) else message[0])
            if known is None or name not in {place for place, _ in known.locations}:
                catalog.add(message, locations=[(name, 0)])
    return catalog


def written(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_po(out, catalog, width=120, omit_header=catalog.locale is None, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def main() -> None:
    template = collect()
    (ROOT / "locale/plaza.pot").write_bytes(written(template))
    for path in sorted((ROOT / "locale").glob("*/LC_MESSAGES/plaza.po")):
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.parent.parent.name)
        template.creation_date = catalog.creation_date  # a date that changes at each run would be a change each time
        catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
        path.write_bytes(written(catalog))
        missing = [message.id for message in catalog if message.id and not (message.string and all(message.string))]
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(missing)} not translated")
        for text in missing:
            print(f"  {text if isinstance(text, str) else text[0]}")


if __name__ == "__main__":
    main()
