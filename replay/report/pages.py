"""One page in one file: template, style and script, which its own policy allows by their hashes, and nothing else."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from replay.report import words

FOLDER = Path(__file__).resolve().parent


def page(template: str, **facts: Any) -> str:
    """Raises jinja2.UndefinedError for a fact that is missing."""
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # Both are files of ours: Markup says that they need no escaping.
    rendered = _environment().get_template(template).render(
        style=Markup(style), script=Markup(script), policy=policy, **facts,  # noqa: S704
    )  # fmt: skip
    return rendered.encode("utf-8", "backslashreplace").decode()  # an answer may hold half a letter, a file cannot


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["words"] = words
    return environment
