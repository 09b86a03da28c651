"""Tokens on the account page: made, shown once, revoked."""

from handlers.account import AccountForm
from models.errors import Forbidden, Invalid
from models.tokens import LONGEST_LIFE


class CreateToken(AccountForm):
    """The token is on the answer to the form alone: no address leads to it again."""

    async def post(self) -> None:
        me, session = self.member(), self.session
        name, scopes = self.get_body_argument("token_name", ""), self.get_body_arguments("token_scopes")
        days = self.get_body_argument("token_days", "")
        try:
            if session is None:
                raise Forbidden("no session")
            token, secret = await self.app.models.tokens.create(
                name, scopes, days=_number(days), by=me, session=session
            )
        except Invalid as error:
            kept = {"name": me.name, "token_name": name, "token_days": days, "token_scopes": scopes}
            await self.show_account(422, {f"token_{field}": text for field, text in error.fields.items()}, kept)
            return
        self.show("token_made.html", token=token, secret=secret)


class RevokeToken(AccountForm):
    async def post(self, id: str) -> None:
        await self.app.models.tokens.revoke(int(id), by=self.member())
        self.done("token")


def _number(days: str) -> int | None:
    """The days of the form, None for no end; what is no number is one that the model refuses."""
    if not days:
        return None
    return int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else LONGEST_LIFE + 1
