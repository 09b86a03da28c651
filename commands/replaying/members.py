"""Accounts, sessions and tokens on a replay target, for the placeholders of a record file."""

import secrets
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Final

from tornado.web import create_signed_value

from handlers.voters import COOKIE as VOTER
from handlers.voters import new_visitor
from models import Models, copies
from models.errors import Invalid, Taken
from models.passwords import hash_password
from models.tokens import SCOPES
from models.users import User
from replay.keys import Key
from replay.needs import Needs
from settings import Settings

AGENT: Final = "plaza replay prepare"
NOWHERE: Final = "replay.invalid"  # RFC 2606: no mail ever leaves for there
TOKEN_DAYS: Final = 30


class Members:
    """`values` is the result: what stands for each placeholder. `counts`: what was found and made, in words."""

    def __init__(self, settings: Settings, models: Models, needs: Needs, key: Key | None) -> None:
        self._settings, self._models, self._needs, self._key = settings, models, needs, key
        self._by_email: dict[str, int] = {}  # member by placeholder, and so on: those of the copy that were recognised
        self._by_session: dict[str, int] = {}
        self._by_token: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.values: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    async def recognise(self) -> None:
        """Find out who of the copy stands behind which placeholder. Without the key nobody can."""
        if self._key is None:
            return
        emails, cookies, tokens = (set(self._needs.of(kind)) for kind in ("email", "cookie", "token"))
        async for id, email in copies.addresses(self._models.db):
            if (found := self._key.placeholder("email", email)) in emails:
                self._by_email[found], self.values[found] = id, email
        async for _, user_id, digest in copies.sessions(self._models.db):
            if (found := self._key.placeholder("cookie", digest.hex())) in cookies:
                self._by_session[found] = user_id
        async for _, user_id, digest, scopes in copies.tokens(self._models.db):
            if (found := self._key.placeholder("token", digest.hex())) in tokens:
                self._by_token[found] = user_id, scopes
        self.counts["addresses recognised"] = len(self._by_email)
        self.counts["sessions recognised"] = len(self._by_session)
        self.counts["tokens recognised"] = len(self._by_token)

    async def make(self, step: Callable[[], None]) -> None:
        """A value for each placeholder; `step` is called after each."""
        for placeholder in self._needs.of("password"):
            self.values[placeholder] = secrets.token_urlsafe(15)
            step()
        for kind, make in (("email", self._email), ("cookie", self._cookie), ("token", self._token)):
            for placeholder in self._needs.of(kind):
                self.values[placeholder] = await make(placeholder)
                step()
        for placeholder, number in zip(self._needs.of("address"), count(1)):
            self.values[placeholder] = f"198.18.{number >> 8 & 255}.{number & 255}"  # RFC 2544: nobody's
            step()
        for placeholder in self._needs.of("secret"):
            self.values[placeholder] = secrets.token_urlsafe(32)
            step()

    async def _email(self, placeholder: str) -> str:
        password = self._needs.passwords.get(placeholder)
        if id := self._by_email.get(placeholder):
            if password:
                await self._set_password(id, password)
            return self.values[placeholder]
        if password:
            return (await self._account(placeholder, password)).email
        return _address(placeholder)  # of nobody, or of who registers in the record

    async def _cookie(self, placeholder: str) -> str:
        if self._needs.cookies.get(placeholder) == VOTER:
            return create_signed_value(self._settings.secret_key, VOTER, new_visitor()).decode()
        password = self._needs.passwords.get(placeholder)
        id = self._by_session.get(placeholder)
        if id is None and placeholder not in self._needs.proven:
            return secrets.token_urlsafe(32)  # nobody's, as it was
        if id is None:
            id = (await self._account(placeholder, password)).id
        elif password and not self._signs_in(id):
            await self._set_password(id, password)
        return await self._session(id)

    async def _token(self, placeholder: str) -> str:
        id, scopes = self._by_token.get(placeholder, (None, tuple(SCOPES)))
        if id is None and placeholder not in self._needs.proven:
            return f"plz_{secrets.token_urlsafe(32)}"
        user = await self._models.users.one(id) if id else await self._account(placeholder)
        session = await self._models.sessions.by_token(await self._session(user.id))
        assert session
        try:
            made = await self._models.tokens.create(AGENT, scopes, days=TOKEN_DAYS, by=user, session=session)
        except Invalid:  # they have as many as one may have
            self.counts["tokens that could not be made"] += 1
            return f"plz_{secrets.token_urlsafe(32)}"
        self.counts["tokens made"] += 1
        return made[1]

    def _signs_in(self, id: int) -> bool:
        """Whether they have got their password by their address."""
        return any(found == id and email in self._needs.passwords for email, found in self._by_email.items())

    async def _session(self, user_id: int) -> str:
        self.counts["sessions made"] += 1
        return await self._models.sessions.start(user_id, days=self._settings.session_days, ip=None, user_agent=AGENT)

    async def _account(self, placeholder: str, password: str | None = None) -> User:
        """An account for who is not in the copy; the one that an earlier `prepare` made, if it did."""
        hashed = await hash_password(self.values[password]) if password else None
        email = _address(placeholder)
        try:
            user = await self._models.users.register(f"Replay {email[:8]}", email, hashed)
            self.counts["accounts made"] += 1
        except Taken:
            known = await self._models.users.by_email(email)
            assert known
            user = known
            if hashed:
                await self._models.users.set_password(user.id, hashed)
        return user

    async def _set_password(self, id: int, password: str) -> None:
        self.counts["passwords set"] += 1
        await self._models.users.set_password(id, await hash_password(self.values[password]))


def _address(placeholder: str) -> str:
    return f"{placeholder.strip('{}').partition(':')[2].lower()}@{NOWHERE}"
