"""What the forms and the API of accounts accept; all errors at once, beside their fields."""

import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from models import passwords
from models.errors import Invalid

# The pattern by which browsers check <input type=email> (HTML Living Standard, "valid e-mail address").
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def checked_name(name: str) -> str:
    """A member's name, 2-40 characters, without signs that turn or hide text."""
    name = " ".join(_CONTROL.sub(" ", name).split())
    if not 2 <= len(name) <= 40:
        raise ValueError("A name has 2 to 40 characters.")
    return name


def checked_email(email: str) -> str:
    """An address, lower-case."""
    email = email.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise ValueError("This does not look like an e-mail address.")
    return email


def checked_password(password: str) -> str:
    if problem := passwords.problem(password):
        raise ValueError(problem)
    return password


class Form(BaseModel):
    """Fields by name; a field that was not sent is empty."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Self:
        """Raises Invalid with a message for each wrong field."""
        try:
            return cls(**{name: fields.get(name, "") for name in cls.model_fields})
        except ValidationError as error:
            raise Invalid({str(e["loc"][0]): _message(e) for e in error.errors()}) from None


def _message(error: Any) -> str:
    told = error.get("ctx", {}).get("error")
    return str(told) if told else "This must be text."


class Registration(Form):
    name: str
    email: str
    password: str

    _name = field_validator("name")(checked_name)
    _email = field_validator("email")(checked_email)
    _password = field_validator("password")(checked_password)


class NewName(Form):
    name: str

    _name = field_validator("name")(checked_name)


class NewPassword(Form):
    current: str
    new: str

    _new = field_validator("new")(checked_password)


class NewEmail(Form):
    email: str
    password: str

    _email = field_validator("email")(checked_email)


class Lost(Form):
    email: str

    _email = field_validator("email")(checked_email)


class Chosen(Form):
    password: str

    _password = field_validator("password")(checked_password)
