"""The forms of the account page that have to do with the member's address, and with mails to it."""

from handlers.account import AccountForm
from handlers.forms import NewEmail
from handlers.signing import Signing
from handlers.statuses import tell_of
from models.errors import Invalid


class ChangeAddress(Signing, AccountForm):
    """With mail the new address counts when its mail's link is used; without, at once."""

    async def post(self) -> None:
        me, models = self.member(), self.app.models
        fields = {name: self.get_body_argument(name, "", strip=name == "email") for name in ("email", "password")}
        try:
            form = NewEmail.read(fields)
            if form.email == me.email:
                raise Invalid({"email": "This is your address already."})
            if await self.authenticate(me.email, form.password) is None:
                raise Invalid({"password": "This is not your present password."})
            if not models.mails.enabled:
                await models.addresses.change_now(me, form.email)
        except Invalid as error:
            values = {"name": me.name, "email": fields["email"]}
            await self.show_account(tell_of(error, 422).status, error.fields, values)
            return
        if models.mails.enabled:
            self.tell_standing(await self.app.limits.hit(self.app.limits.mail, f"user {me.id}"))
            await models.addresses.ask_to_change(me, form.email, self.lang)
        self.done("address-asked" if models.mails.enabled else "address")


class AskToConfirm(AccountForm):
    """Send the mail that asks for confirmation once more."""

    async def post(self) -> None:
        me = self.member()
        self.tell_standing(await self.app.limits.hit(self.app.limits.mail, f"user {me.id}"))
        await self.app.models.addresses.ask_to_confirm(me, self.lang)
        self.done("confirm-asked")


class ChooseNotices(AccountForm):
    """Whether replies to one's comments are told by mail, in the language of this page."""

    async def post(self) -> None:
        try:
            wanted = self.get_body_argument("replies", "") == "1"
            await self.app.models.notices.choose(self.member(), wanted, self.lang)
        except Invalid as error:
            await self.show_account(422, error.fields)
            return
        self.done("notices")
