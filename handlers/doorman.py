"""Programs that fill in forms give themselves away: they fill a field that people do not see, and are done too soon."""

import time

from tornado.web import create_signed_value, decode_signed_value

from handlers.base import Base

TRAP = "homepage"  # the field; no browser fills in one of that name by itself
STAMP = "stamp"
_OPEN_FOR = 1  # days that a form may stand open

TRAPPED = "A field that people do not see was filled in. Look over what you typed, then send it again."
TOO_SOON = "That was very quick. Look over what you typed, then send it again."
STALE = "This page was open for a long time. Send it again."


def stamp(handler: Base) -> str:
    """When the form was opened, signed, for its hidden field: that of the form that was sent, if it is good."""
    sent = handler.get_body_argument(STAMP, "")
    if _opened_at(handler, sent) is not None:
        return sent
    return create_signed_value(handler.app.settings.secret_key, STAMP, str(time.time())).decode()


def trapped(handler: Base) -> bool:
    return bool(handler.get_body_argument(TRAP, "").strip())


def problem(handler: Base) -> str | None:
    """Why this form is not taken at the first go, in words for a person who may have sent it; None when it is.

    A request without a stamp that no browser made passes, as it does in the API: scripts are held to the limits alone.
    """
    settings = handler.app.settings
    if trapped(handler):
        return TRAPPED
    if settings.form_seconds == 0 or settings.replay_target:
        return None
    sent = handler.get_body_argument(STAMP, "")
    if not sent:
        headers = handler.request.headers
        return STALE if "Sec-Fetch-Site" in headers or "Origin" in headers else None
    opened = _opened_at(handler, sent)
    if opened is None:
        return STALE
    return TOO_SOON if time.time() - opened < settings.form_seconds else None


def _opened_at(handler: Base, sent: str) -> float | None:
    value = decode_signed_value(handler.app.settings.secret_key, STAMP, sent, max_age_days=_OPEN_FOR)
    return float(value) if value else None
