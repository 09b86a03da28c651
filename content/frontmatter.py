"""The head of a Markdown file: TOML between +++ lines or YAML between --- lines."""

import re
import tomllib
from typing import Any

import yaml

_HEAD = re.compile(r"(\+\+\+|---)[ \t]*\n(.*?)^\1[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


class BadFrontMatter(ValueError):
    """The head is there and cannot be read; the message says why, in one line."""


def parse(text: str) -> tuple[dict[str, Any], str]:
    """The fields of the head (none: an empty dict) and the body, with \\n line ends and no byte order mark."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head = _HEAD.match(text)
    if head is None:
        return {}, text
    toml = head[1] == "+++"
    try:
        fields = tomllib.loads(head[2]) if toml else yaml.safe_load(head[2])
    except (tomllib.TOMLDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        # YAML raises ValueError for a date like 2024-02-31.
        reason = " ".join(str(error).split())[:200]
        raise BadFrontMatter(f"its front matter is not {'TOML' if toml else 'YAML'}: {reason}") from error
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise BadFrontMatter("its front matter is not a list of names and values")
    return {str(name): value for name, value in fields.items()}, text[head.end() :].lstrip("\n")
