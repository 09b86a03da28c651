"""API tokens in `Authorization: Bearer plz_...` (RFC 6750): where they are heard, whom they speak for, how they are refused."""

import re

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from handlers.app import App
from handlers.origin import SAFE_METHODS
from models.tokens import READ, WRITE, Token
from models.users import User

REALM = 'Bearer realm="Plaza"'
_HEARD = re.compile(r"/api/|/(?:files|j)$|/r/")  # the addresses that are for programs
# In place of a scope: what everybody may, and what no token may.
ANYBODY, NO_TOKEN = "", "session"


class BadToken(HTTPError):
    """Never made, revoked, over, or its member has no account any more: 401."""

    challenge = f'{REALM}, error="invalid_token"'
    words = "This token is not valid: it was never made here, was revoked, or has run out."

    def __init__(self) -> None:
        super().__init__(401, "bad token")


class OutOfScope(HTTPError):
    """A good token that was not made for this: 403."""

    words = "This token was not made for that: it lacks the scope that is needed."

    def __init__(self, needed: str) -> None:
        super().__init__(403, "out of scope")
        self.challenge = f'{REALM}, error="insufficient_scope"'
        if needed == NO_TOKEN:
            self.words = "No token may do that. Sign in, and do it as yourself."
        else:
            self.challenge += f', scope="{needed}"'


def told(request: HTTPServerRequest) -> str | None:
    """What the request gives as its token; None where none is heard, so that no token reaches the manage pages."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and _HEARD.match(request.path) else None


def needed(method: str | None, *, public: bool) -> str:
    """The scope that a method needs unless it says otherwise."""
    if method not in SAFE_METHODS:
        return WRITE
    return ANYBODY if public else READ


async def holder(app: App, secret: str, address: str) -> tuple[Token, User]:
    """The token, and whom it speaks for. Failures are counted by address. Raises BadToken, TooMany."""
    token = await app.models.tokens.by_secret(secret)
    user = await app.models.users.find(token.user_id) if token else None
    if token is None or user is None or not user.active:
        await app.limits.hit(app.limits.token_address, address)
        raise BadToken
    await app.models.tokens.used(token)
    return token, user


def allow(token: Token, scope: str) -> None:
    """Raises OutOfScope when the token was not made for what needs this scope."""
    if scope != ANYBODY and scope not in token.scopes:
        raise OutOfScope(scope)
