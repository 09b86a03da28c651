"""What a mail says: a subject and a plain text, in one language, from facts."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from content.languages import translations

FOLDER = Path(__file__).resolve().parent.parent / "templates/mails"
LONGEST = 200  # characters of a subject


def subject(kind: str, lang: str, **facts: Any) -> str:
    """One line: the block `subject` of templates/mails/<kind>.txt."""
    template = _environment(lang).get_template(f"{kind}.txt")
    line = " ".join("".join(template.blocks["subject"](template.new_context(facts))).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def text(kind: str, lang: str, **facts: Any) -> str:
    """The whole text. Raises jinja2.UndefinedError for a fact that is missing."""
    return _environment(lang).get_template(f"{kind}.txt").render(**facts).strip() + "\n"


@cache
def _environment(lang: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=False, undefined=StrictUndefined, trim_blocks=True,  # noqa: S701 - not HTML
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"], keep_trailing_newline=True,
    )  # fmt: skip
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(lang), newstyle=True)  # type: ignore[attr-defined]
    environment.filters["quoted"] = _quoted
    return environment


def _quoted(words: str, most: int = 1500) -> str:
    """Somebody's words as mails quote them, each line behind a `>`."""
    words = words.strip()
    words = words if len(words) <= most else words[:most].rstrip() + " …"
    return "\n".join(f"> {line}".rstrip() for line in words.splitlines())
