"""A mail server on loopback that keeps what it gets, and refuses what a test tells it to."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class PostOffice:
    """`letters`: what was taken, as it came. `refusals`: an answer by recipient, or by DATA or MAIL. `logins`: who
    signed in. `hold`: DATA is answered when this is set; `arrived`: when it has come."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    logins: list[tuple[str, str]] = field(default_factory=list)
    conversations: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None
    hold: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _talks: list[SMTP] = field(default_factory=list)

    async def open(self, host: str = "127.0.0.1") -> None:
        """From now on, at the port that it had the last time."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._talk, host, self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Open conversations break off."""
        if self._server:
            self._server.close()
            self._server = None
        for talk in self._talks:
            if talk.transport:
                talk.transport.close()
        tasks = [talk._handler_coroutine for talk in self._talks if talk._handler_coroutine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._talks.clear()

    def to(self, recipient: str) -> list[EmailMessage]:
        return [letter for letter, to in zip(self.letters, self.recipients, strict=True) if to == recipient]

    def _talk(self) -> SMTP:
        self.conversations += 1
        talk = SMTP(self, hostname="post.test", authenticator=self._sign_in, auth_require_tls=False, ident="post")
        self._talks.append(talk)
        return talk

    def _sign_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password == b"p@ss/word", handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.refusals.get("MAIL", "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.arrived.set()
        if self.hold:
            await self.hold.wait()
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 OK"


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\r\n", "\n")


def link_in(letter: EmailMessage) -> str:
    """The path and query of the first address in its text."""
    address = next(word for word in text_of(letter).split() if word.startswith("http"))
    return "/" + address.split("/", 3)[3]


def token_of(link: str) -> str:
    return link.partition("token=")[2]
