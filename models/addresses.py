"""What a mail proves: that an address is a member's own, who may therefore choose a new password, or move to another address."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pymysql.err import IntegrityError

from models import audit, links, sessions, tokens, users
from models.base import Write
from models.errors import Forbidden, NotFound, Taken
from models.links import CHANGE, CONFIRM, RESET, Link, Links
from models.mails import Mails
from models.retrying import retried
from models.rights import bits_of
from models.roles import OPERATOR, has, require
from models.users import User, Users

BY_HAND = "by hand"  # in place of the address that a link was sent to
TAKEN = "There is an account with this address. Use another one."


class Addresses:
    """Asking queues a mail; what its link proves is done when the link is spent, in one transaction."""

    def __init__(self, table: Users, link: Links, mails: Mails) -> None:
        self.users, self.links, self.mails = table, link, mails

    def welcome(self, language: str) -> Callable[[Write, User], Awaitable[None]]:
        """What goes with a registration, in its transaction: the member's language, and the mail that asks to confirm."""

        async def greet(w: Write, user: User) -> None:
            await w.execute("UPDATE users SET language = %s WHERE id = %s", language, user.id)
            await self._ask_to_confirm(w, user, language)

        return greet

    @retried
    async def ask_to_confirm(self, user: User, language: str) -> None:
        """Send the mail once more."""
        async with self.users.write() as w:
            await self._ask_to_confirm(w, user, language)

    @retried
    async def forgot(self, email: str, language: str) -> None:
        """A link for a new password goes to this address, if it is a member's. Nothing here depends on whether it is."""
        async with self.users.write() as w:
            await self.mails.queue(w, "reset", email, language)

    @retried
    async def ask_to_change(self, user: User, email: str, language: str) -> None:
        """The account gets this address when the link in a mail to it is used; its owner is told if it is taken."""
        async with self.users.write() as w:
            await self.mails.queue(w, "change", email, language, user_id=user.id)

    @retried
    async def change_now(self, user: User, email: str) -> User:
        """Without mail: the new address counts at once, not confirmed. Raises Taken, NotFound."""
        async with self.users.write() as w:
            return await self._move(w, await self._locked(w, user.id), email, None)

    async def sent(self, token: str, *purposes: str) -> tuple[Link, User]:
        """The link of a mail, which is not spent by looking at it, and whom it is for. Raises NotFound."""
        link = await self.links.find(token, *purposes)
        user = await self.users.find(link.user_id) if link else None
        if link is None or user is None or not (user.active or link.purpose == CONFIRM):
            raise NotFound("link")
        return link, user

    @retried
    async def confirm(self, token: str) -> User:
        """The address that the link was sent to is its user's: confirmed, and theirs from now on if it is a new one.

        Raises NotFound; Taken when it has become somebody else's.
        """
        async with self.users.write() as w:
            link = await links.spend(w, token, CONFIRM, CHANGE)
            old = await self._locked(w, link.user_id)
            now = datetime.now(UTC)
            if link.purpose == CHANGE and old.active:
                return await self._move(w, old, link.data, now)
            if link.purpose == CHANGE or old.email != link.data:
                raise NotFound("link")
            await links.end_all(w, old.id, CONFIRM)
            return await self._proved(w, old, now)

    @retried
    async def reset(self, token: str, password_hash: str) -> User:
        """A new password for whom the link was sent to; all their sessions and tokens end. Raises NotFound."""
        async with self.users.write() as w:
            link = await links.spend(w, token, RESET)
            old = await self._locked(w, link.user_id)
            if not old.active or link.data not in (old.email, BY_HAND):
                raise NotFound("link")
            await links.end_all(w, old.id, RESET)
            await sessions.end_all(w, [old.id])
            await tokens.end_all(w, [old.id], old.id)
            await w.execute("UPDATE users SET password_hash = %s WHERE id = %s", password_hash, old.id)
            await audit.note(w, old.id, "user.reset_password", f"user {old.id}")
            return await self._proved(w, old, None if link.data == BY_HAND else datetime.now(UTC))

    @retried
    async def new_password(self, id: int, password_hash: str, *, but: int = 0) -> tuple[int, int]:
        """A new password. With it end all sessions but the one with the id `but`, and all tokens: how many of each.

        Raises NotFound.
        """
        async with self.users.write() as w:
            old = await self._locked(w, id)
            await w.execute(
                "UPDATE users SET password_hash = %s, version = version + 1 WHERE id = %s", password_hash, id
            )
            await links.end_all(w, id, RESET)
            ended = await sessions.end_all(w, [id], but=but), await tokens.end_all(w, [id], id)
            w.touch(*users.shown_in(old), *users.shown_in(await self._locked(w, id)))
        return ended

    @retried
    async def hand_out(self, id: int, *, by: User) -> str:
        """Where no mail is sent: the token of a link for a new password, which an operator gives to the member by hand.

        Raises NotFound, and Forbidden for who is no operator or has not all permissions of the member.
        """
        if self.mails.enabled:
            raise NotFound("members get their links by mail")
        async with self.users.write() as w:
            bits = await require(w, by.id, OPERATOR)
            user = await self._locked(w, id)
            if not user.active or user.email.startswith("imported:"):
                raise NotFound(f"user {id} cannot sign in")
            if not has(bits, (await bits_of(w, [id]))[id]):
                raise Forbidden(f"user {id} is out of reach for user {by.id}")
            await audit.note(w, by.id, "user.link", f"user {id}")
            return await links.add(w, RESET, id, BY_HAND)

    async def _ask_to_confirm(self, w: Write, user: User, language: str) -> None:
        if user.confirmed_at is None:
            await self.mails.queue(w, "confirm", user.email, language, user_id=user.id)

    async def _proved(self, w: Write, old: User, now: datetime | None) -> User:
        """One version on, and confirmed if there is a moment of it."""
        await w.execute(
            "UPDATE users SET confirmed_at = COALESCE(confirmed_at, %s), version = version + 1 WHERE id = %s",
            now,
            old.id,
        )
        new = await self._locked(w, old.id)
        if old.confirmed_at is None and now:
            await audit.note(w, old.id, "user.confirm", f"user {old.id}", old, new)
        w.touch(*users.shown_in(old), *users.shown_in(new))
        return new

    async def _move(self, w: Write, old: User, email: str, confirmed_at: datetime | None) -> User:
        """Another address. Links that went to the old one end, and it is told."""
        try:
            await w.execute(
                "UPDATE users SET email = %s, confirmed_at = %s, version = version + 1 WHERE id = %s",
                email, confirmed_at, old.id,
            )  # fmt: skip
        except IntegrityError:
            raise Taken({"email": TAKEN}) from None
        await links.end_all(w, old.id, RESET, CONFIRM, CHANGE)
        new = await self._locked(w, old.id)
        rows = await w.fetch("SELECT language FROM users WHERE id = %s", old.id)
        await self.mails.queue(w, "changed", old.email, rows[0][0], name=old.name)
        await audit.note(w, old.id, "user.change_address", f"user {old.id}", old, new)
        w.touch(*users.shown_in(old), *users.shown_in(new))
        return new

    async def _locked(self, w: Write, id: int) -> User:
        return await w.locked(self.users.make, self.users.rows_sql + " FOR UPDATE", (id,))
