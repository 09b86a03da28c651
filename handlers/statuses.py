"""What went wrong, as HTTP says it: the one place that knows which status each refusal is, and in which words it is told."""

from typing import NamedTuple

from tornado.web import HTTPError, MissingArgumentError

from handlers import bearer
from handlers.inputs import Unreadable
from handlers.limits import TooMany
from models import errors


class Told(NamedTuple):
    """An error as the visitor is told it: an HTTP status, a message (gettext id), and the fields that are wrong."""

    status: int
    message: str
    fields: dict[str, str]
    headers: dict[str, str]


def tell_of(error: BaseException | None, status: int) -> Told:
    """The status and words for an error: the table of what models refuse and what it is in HTTP."""
    match error:
        case errors.NotFound():
            return Told(404, "There is nothing at this address.", {}, {})
        case errors.Forbidden():
            return Told(403, "You may not do that.", {}, {})
        case errors.NoPicture():
            return Told(415, "This is no picture.", error.fields, {})
        case errors.Invalid():
            status = {errors.Taken: 409, errors.TooLarge: 413, errors.QuotaFull: 413}.get(type(error), 422)
            return Told(status, "Something is wrong with what was sent.", error.fields, {})
        case errors.Stale():
            return Told(409, "Somebody has changed this since you opened it.", {}, {})
        case errors.Closed():
            return Told(409, str(error), {}, {})
        case TooMany():
            headers = {"Retry-After": str(error.standing.reset), **error.standing.headers()}
            return Told(429, "That was too often. Wait a little, then try again.", {}, headers)
        case errors.Busy():
            again = {"Retry-After": str(error.retry_after)}
            return Told(503, "The site is very busy at this moment. Try again soon.", {}, again)
        case Unreadable():
            return Told(400, "This is no JSON object.", {}, {})
        case MissingArgumentError():
            return Told(400, "A field is missing.", {error.arg_name: "This field is missing."}, {})
        case bearer.BadToken() | bearer.OutOfScope():
            return Told(error.status_code, error.words, {}, {"WWW-Authenticate": error.challenge})
    code = error.status_code if isinstance(error, HTTPError) else status
    words: str = getattr(error, "words", "") or _MESSAGES.get(code, "")
    return Told(code, words, {}, {})


_MESSAGES = {
    400: "The request could not be understood.",
    401: "You are not signed in. Sign in, then try again.",
    403: "You may not do that.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    406: "This address answers in JSON, which the request does not accept.",
    412: "This has changed since you read it. Read it again, then send the change.",
    413: "What was sent is too large.",
    415: "This address takes JSON or a form.",
    421: "This site does not answer to that name.",
    426: "This address is for WebSockets.",
    428: "Say which version you change: send the ETag of the last answer as If-Match.",
    500: "Something went wrong on our side. It has been noted.",
    503: "The site is very busy at this moment. Try again soon.",
}
HEADINGS = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not that way",
    406: "Not in that form",
    409: "Changed meanwhile",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unknown format",
    421: "Another host",
    422: "Not accepted",
    426: "Not that way",
    428: "Version needed",
    429: "Too often",
    500: "Our mistake",
    503: "Very busy",
}
