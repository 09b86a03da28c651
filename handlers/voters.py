"""Who votes: a member by the session, and, where a poll takes visitors, a browser by a signed cookie.

The cookie counts browsers, not people: who clears it, or uses another browser, votes again, and the page says so. It is set by
a vote and by nothing else, so that who only reads has none. Beside it stands `voted=1`, which scripts may read: it tells them
that there is a ballot to ask for.
"""

import re
import secrets

from tornado.httputil import parse_cookie
from tornado.web import create_signed_value, decode_signed_value

from handlers.base import Base
from models.ballots import Voter

COOKIE, TOLD = "voter", "voted"
DAYS = 365
_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)


def voter_of(handler: Base, *, visitors: bool) -> Voter | None:
    """Who votes if the one who asks does: a member; a browser that has voted before, if the poll takes visitors."""
    if handler.user:
        return handler.user
    return visitor(handler.request.headers.get("Cookie", ""), handler.app.settings.secret_key) if visitors else None


def visitor(cookie: str, secret_key: str) -> str | None:
    """The browser that this header Cookie knows itself by; None without one, or with one that we have not signed."""
    if COOKIE not in cookie:
        return None
    signed = parse_cookie(cookie).get(COOKIE)
    value = decode_signed_value(secret_key, COOKIE, signed, max_age_days=DAYS)
    name = value.decode("ascii", "replace") if value else ""
    return name if _NAME.fullmatch(name) else None


def new_visitor() -> str:
    """A browser that has not voted yet."""
    return secrets.token_hex(16)


def give_cookies(handler: Base, visitor: str) -> None:
    """So that the browser is known again, for a year from its last vote."""
    signed = create_signed_value(handler.app.settings.secret_key, COOKIE, visitor).decode()
    for cookie, value in ((COOKIE, signed), (TOLD, "1")):
        handler.set_cookie(cookie, value, path="/", expires_days=DAYS, httponly=cookie == COOKIE, samesite="Lax",
                           secure=handler.https)  # fmt: skip
