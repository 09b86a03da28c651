"""What an operator types to look something up, and how names and values are shown to them: secrets and addresses never."""

import dataclasses
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cache import Slot
from cache.slots import FAMILIES, LIST, SCOPE, Family, family_of
from models.errors import Invalid
from models.levels import values_of

LONGEST = 500  # characters of a value
_SECRET = re.compile(r"email|token|sha|hash|password|secret")  # in the name of a field or of a value


def asked(text: str, namespace: str = "") -> Slot | str:
    """The slot that is meant by "post 12", "post:12", "posts.page 1", a name or key as it stands in Redis; or a path of the site.

    Raises Invalid, which says what is wrong.
    """
    text = text.strip()
    if text.startswith("/"):
        return text
    if namespace and text.startswith(f"{namespace}:") and text.count(":") > 1:
        text = text.split(":", 2)[2].rpartition("@")[2]
    word, blank, rest = text.partition(" ")
    if blank:
        values = tuple(rest.split())
    else:
        word = family_of(text) if family_of(text) in FAMILIES else text.partition(":")[0]
        values = values_of(text) if word in FAMILIES else tuple(text.split(":")[1:])
    family = next((known for prefix in ("", LIST, SCOPE) if (known := FAMILIES.get(prefix + word))), None)
    if family is None:
        raise Invalid({"key": "There is no family of that name."})
    if len(values) != len(family.by):
        raise Invalid({"key": "That family is told apart by other values; the list of families names them."})
    return family(*values)


def families() -> list[Family]:
    """All that can be looked up and dropped, by name: rows and unique values, then lists, then what lists hang on."""
    return sorted(FAMILIES.values(), key=lambda one: (one.prefix == SCOPE, one.prefix == LIST, one.name))


def family(text: str) -> Family:
    """The family of that name, with or without `list:`. Raises Invalid."""
    for prefix in ("", LIST, SCOPE):
        if known := FAMILIES.get(prefix + text.strip()):
            return known
    raise Invalid({"family": "There is no family of that name."})


def shown_name(name: str) -> str:
    """A slot's name as it may be shown and logged."""
    known, values = FAMILIES.get(family_of(name)), name.removeprefix(family_of(name)).split(":")[1:]
    if known is None:
        return name
    fields: Sequence[str] = known.by if len(known.by) == len(values) else ("token",) * len(values)
    hidden = ("…" if _SECRET.search(field) else value for field, value in zip(fields, values, strict=True))
    return ":".join((known.family, *hidden))


def shown_value(value: Any) -> list[tuple[str, str]]:
    """A remembered value as (field, text): the fields of a row, or the items of a list under one name."""
    if value is None:
        return []
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return [(name, "…" if _SECRET.search(name) else _text(getattr(value, name))) for name in names]
    return [("", _text(value))]


def _text(value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime) else value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)})"
