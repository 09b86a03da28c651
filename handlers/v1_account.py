"""A member's own tokens and sessions. No token reaches them: who found one shall not make others, nor learn about its owner."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from tornado.web import HTTPError

from handlers.bearer import NO_TOKEN
from handlers.inputs import Input
from handlers.signing import Signing
from handlers.v1 import V1, Output, call
from models.errors import NotFound
from models.roles import LOGIN
from models.sessions import Session, SessionFacts
from models.tokens import Scope, TokenFacts

Facts = TypeVar("Facts", TokenFacts, SessionFacts)


class NewToken(Input):
    """`days` that it shall live; without it, until it is revoked."""

    name: str
    scopes: list[Scope]
    days: int | None = None


class TokenShape(Output):
    """Times are UTC; `last_used_at` is exact to an hour."""

    id: int
    url: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class MadeToken(TokenShape):
    """`token` is told this once."""

    token: str


class SessionShape(Output):
    """`seen_at` is exact to a day; `current` is the one that asks."""

    id: int
    url: str
    created_at: datetime
    seen_at: datetime
    ip: str | None
    user_agent: str
    current: bool


class OwnAccount(Signing, V1):
    """What is the member's own; answered to a session alone."""

    public = False
    needs = LOGIN

    def own_session(self) -> Session:
        """Raises HTTPError 401."""
        if self.session is None:
            raise HTTPError(401, "no session")
        return self.session

    def token_shape(self, token: TokenFacts) -> TokenShape:
        return TokenShape(
            id=token.id, url=self.reverse_url("v1_token", token.id), name=token.name, scopes=token.scopes,
            created_at=token.created_at, expires_at=token.expires_at, last_used_at=token.last_used_at,
        )  # fmt: skip

    def session_shape(self, one: SessionFacts) -> SessionShape:
        return SessionShape(
            id=one.id, url=self.reverse_url("v1_session", one.id), created_at=one.created_at, seen_at=one.seen_at,
            ip=str(one.ip) if one.ip else None, user_agent=one.user_agent, current=one.id == self.own_session().id,
        )  # fmt: skip


class OwnTokens(OwnAccount):
    @call(gives=list[TokenShape], scope=NO_TOKEN)
    async def get(self) -> None:
        """Your tokens, the newest first."""
        self.answer([self.token_shape(one) for one in await self.app.models.tokens.of_user(self.member().id)])

    @call(takes=NewToken, gives=MadeToken, status=201, scope=NO_TOKEN)
    async def post(self) -> None:
        """Make a token, which is told this once."""
        wanted, by, session = self.sent(NewToken), self.member(), self.own_session()
        token, secret = await self.app.models.tokens.create(
            wanted.name, wanted.scopes, days=wanted.days, by=by, session=session
        )
        made = MadeToken(**dict(self.token_shape(token)), token=secret)
        self.answer(made, location=made.url)


class OwnToken(OwnAccount):
    @call(gives=TokenShape, scope=NO_TOKEN)
    async def get(self, id: str) -> None:
        """One of your tokens."""
        self.answer(self.token_shape(one_of(await self.app.models.tokens.of_user(self.member().id), int(id))))

    @call(status=204, scope=NO_TOKEN)
    async def delete(self, id: str) -> None:
        """Revoke a token: it is refused from now on."""
        await self.app.models.tokens.revoke(int(id), by=self.member())
        self.answer()


class OwnSessions(OwnAccount):
    @call(gives=list[SessionShape], scope=NO_TOKEN)
    async def get(self) -> None:
        """Where you are signed in, the newest first."""
        self.answer([self.session_shape(one) for one in await self.app.models.sessions.of_user(self.member().id)])


class OwnSession(OwnAccount):
    @call(gives=SessionShape, scope=NO_TOKEN)
    async def get(self, id: str) -> None:
        """One of the places where you are signed in."""
        self.answer(self.session_shape(one_of(await self.app.models.sessions.of_user(self.member().id), int(id))))

    @call(status=204, scope=NO_TOKEN)
    async def delete(self, id: str) -> None:
        """End a session: whoever has it is signed out."""
        await self.app.models.sessions.revoke(int(id), user_id=self.member().id)
        if self.own_session().id == int(id):
            await self.sign_out()
        self.answer()


def one_of(found: Sequence[Facts], id: int) -> Facts:
    """Raises NotFound for what is over, or somebody else's."""
    for one in found:
        if one.id == id:
            return one
    raise NotFound(str(id))
