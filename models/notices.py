"""Who wants to be told by mail of replies to their comments, and the telling."""

import hashlib
import hmac

from models import audit
from models.errors import Invalid, NotFound
from models.mails import Mails
from models.retrying import retried
from models.users import User, Users


class Notices:
    """The columns `notify_replies` and `language` of `users`, which no page for readers shows and no cache holds."""

    def __init__(self, users: Users, mails: Mails) -> None:
        self.users, self.mails = users, mails

    async def wanted(self, user_id: int) -> bool:
        rows = await self.users.db.fetch("SELECT notify_replies FROM users WHERE id = %s", user_id)
        return bool(rows and rows[0][0])

    async def choose(self, user: User, wanted: bool, language: str) -> None:
        """Begin or end the notices of replies, in this language. Raises Invalid for who has not confirmed the address: nobody
        shall be written to because somebody else gave their address."""
        if wanted and not user.confirmed_at:
            raise Invalid({"replies": "Confirm your address first."})
        await self._set(user.id, wanted, language)

    @retried
    async def read_in(self, user_id: int, language: str) -> None:
        """Write to this member in this language from now on."""
        async with self.users.write() as w:
            await w.execute("UPDATE users SET language = %s WHERE id = %s", language, user_id)

    def ticket(self, user_id: int) -> str:
        """What the link at the end of a notice carries: it ends the notices, never runs out, and can do nothing else."""
        return f"{user_id}-{self._signed(user_id)}"

    def holder(self, ticket: str) -> int:
        """The id of whom the ticket is for. Raises NotFound for one that we did not make."""
        id, _, signed = ticket.partition("-")
        if not (id.isdecimal() and id.isascii() and len(id) <= 18 and signed.isascii()):
            raise NotFound("ticket")
        if not hmac.compare_digest(signed, self._signed(int(id))):
            raise NotFound("ticket")
        return int(id)

    async def unsubscribe(self, ticket: str) -> None:
        """End the notices. Raises NotFound."""
        await self._set(self.holder(ticket), False)

    @retried
    async def _set(self, user_id: int, wanted: bool, language: str = "") -> None:
        async with self.users.write() as w:
            old = await w.locked(
                lambda on, now: {"notify_replies": bool(on), "language": now},
                "SELECT notify_replies, language FROM users WHERE id = %s FOR UPDATE", user_id,
            )  # fmt: skip
            new = {"notify_replies": wanted, "language": language or old["language"]}
            await w.execute(
                "UPDATE users SET notify_replies = %s, language = %s WHERE id = %s", wanted, new["language"], user_id
            )
            if new != old:
                await audit.note(w, user_id, "user.notices", f"user {user_id}", old, new)

    def _signed(self, user_id: int) -> str:
        key = self.mails.settings.secret_key.encode()
        return hmac.new(key, f"unsubscribe {user_id}".encode(), hashlib.sha256).hexdigest()[:32]
