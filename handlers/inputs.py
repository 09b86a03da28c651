"""What callers send, typed by pydantic: JSON strictly, forms and queries leniently, all errors at once beside their fields."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Self, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import Invalid

MOST = 20  # errors that are told; a list of a hundred thousand wrong items has as many


class Unreadable(Exception):
    """The body is no JSON, or no object."""


class Input(BaseModel):
    """A body or a query. Its own validators raise ValueError with a sentence for the reader (a gettext id)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def of_json(cls, body: bytes) -> Self:
        """Raises Unreadable, Invalid."""
        try:
            return cls.model_validate_json(body or b"{}", strict=True)
        except ValidationError as error:
            raise _refusal(error) from None

    @classmethod
    def of_form(cls, sent: Mapping[str, Sequence[str]]) -> Self:
        """Of texts by name, as forms and queries have them; an empty one counts as not sent. Raises Invalid."""
        given: dict[str, Any] = {}
        for name, texts in sent.items():
            field = cls.model_fields.get(name)
            filled = [text for text in texts if text]
            if filled:
                given[name] = filled if field and get_origin(field.annotation) in (list, tuple) else filled[-1]
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _refusal(error) from None


def _refusal(error: ValidationError) -> Exception:
    found = error.errors(include_url=False, include_input=False)
    if any(one["type"] == "json_invalid" or (not one["loc"] and one["type"] == "model_type") for one in found):
        return Unreadable(found[0]["msg"])
    return Invalid({".".join(map(str, one["loc"])): _message(one) for one in islice(found, MOST)})


def _message(one: Any) -> str:
    """A sentence that has a translation: that of a validator of ours, else one for the kind of error."""
    own = one.get("ctx", {}).get("error") if one["type"] == "value_error" else None
    if own:
        return str(own)
    kind = one["type"]
    return next((text for begin, text in _SENTENCES if kind.startswith(begin)), "This is not what is expected here.")


# By how pydantic's name for an error begins.
_SENTENCES = (
    ("missing", "This field is missing."),
    ("extra_forbidden", "There is no field of this name."),
    ("string_too_short", "This is too short."),
    ("string_too_long", "This is too long."),
    ("string_pattern", "This is not in the form that is expected here."),
    ("string", "This must be text."),
    ("int", "This must be a whole number."),
    ("float", "This must be a number."),
    ("decimal_max", "This number has too many digits."),
    ("decimal_whole", "This number has too many digits."),
    ("decimal", "This must be a number."),
    ("finite", "This must be a number."),
    ("bool", "This must be true or false."),
    ("literal", "This is none of the values that are possible."),
    ("enum", "This is none of the values that are possible."),
    ("greater", "This is too small."),
    ("less", "This is too large."),
    ("too_short", "There are too few of these."),
    ("too_long", "There are too many of these."),
    ("list", "This must be a list."),
    ("tuple", "This must be a list."),
    ("model", "This must be an object."),
    ("dict", "This must be an object."),
    ("datetime", "Give a moment such as 2026-05-01T09:30:00Z."),
    ("timezone", "Give a moment such as 2026-05-01T09:30:00Z."),
    ("date", "Give a day such as 2026-05-01."),
)
