"""Where the links of mails lead. Opening one changes nothing, for programs that guard mailboxes open them too: a button does."""

from handlers.forms import Chosen, Lost
from handlers.limits import TooMany
from handlers.pages import HtmlPage
from handlers.signing import Signing
from models import passwords
from models.errors import Invalid, NotFound, Taken
from models.links import CHANGE, CONFIRM, RESET
from models.users import User


class ProofPage(Signing, HtmlPage):
    """`again`: the route where a new link can be had; `purposes`: the links that are taken here."""

    public = False
    purposes: tuple[str, ...] = ()
    again = "account"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "strict-origin")  # not the link with its secret

    async def whose(self, token: str) -> tuple[User, str] | None:
        """(whom the link is for, the address it was sent to, if it was); None when the visitor has been told that it is over."""
        try:
            link, user = await self.app.models.addresses.sent(token, *self.purposes)
        except NotFound:
            self.over()
            return None
        return user, link.data

    def over(self) -> None:
        self.set_status(410)
        self.show("link_over.html", again=self.reverse_url(self.again), of=self.again)


class Forgot(Signing, HtmlPage):
    """The same answer for every address: nobody learns here who is a member."""

    public = False

    async def get(self) -> None:
        self.show("forgot.html", mails=self.app.models.mails.enabled)

    async def post(self) -> None:
        fields, models = {"email": self.get_body_argument("email", "")}, self.app.models
        try:
            form = Lost.read(fields)
        except Invalid as error:
            self.show_wrong("forgot.html", 422, error.fields, values=fields, mails=models.mails.enabled)
            return
        try:
            self.tell_standing(await self.app.limits.hit(self.app.limits.mail, self.address))
        except TooMany as error:
            self.show_refused("forgot.html", error, values=fields, mails=models.mails.enabled)
            return
        await models.addresses.forgot(form.email, self.lang)
        self.show("forgot.html", mails=models.mails.enabled, notice=form.email if models.mails.enabled else "")


class Reset(ProofPage):
    purposes, again = (RESET,), "forgot"

    async def get(self) -> None:
        token = self.get_query_argument("token", "")
        if found := await self.whose(token):
            self.show("reset.html", token=token, email=found[0].email)

    async def post(self) -> None:
        token = self.get_body_argument("token", "")
        found = await self.whose(token)
        if found is None:
            return
        try:
            form = Chosen.read({"password": self.get_body_argument("password", "", strip=False)})
            await self.app.models.addresses.reset(token, await passwords.hash_password(form.password))
        except Invalid as error:
            self.show_wrong("reset.html", 422, error.fields, token=token, email=found[0].email)
            return
        except NotFound:
            self.over()
            return
        await self.sign_out()
        self.redirect(f"{self.reverse_url('signin')}?done=password", status=303)


class Confirm(ProofPage):
    purposes = (CONFIRM, CHANGE)

    async def get(self) -> None:
        token = self.get_query_argument("token", "")
        if found := await self.whose(token):
            self.show("confirm.html", token=token, email=found[1], member=found[0].name)

    async def post(self) -> None:
        token = self.get_body_argument("token", "")
        found = await self.whose(token)
        if found is None:
            return
        try:
            user = await self.app.models.addresses.confirm(token)
        except Taken as error:
            context = {"token": token, "email": found[1], "member": found[0].name}
            self.show_wrong("confirm.html", 409, {"form": error.fields["email"]}, **context)
            return
        except NotFound:
            self.over()
            return
        if self.user and self.user.id == user.id:
            self.redirect(f"{self.reverse_url('account')}?done=confirmed", status=303)
        else:
            self.redirect(f"{self.reverse_url('signin')}?done=confirmed", status=303)


class Unsubscribe(HtmlPage):
    """Ends the notices of replies. Mail programs press the button by themselves (RFC 8058), so no sign-in is asked for."""

    public = False

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "strict-origin")  # not the ticket

    async def get(self, ticket: str) -> None:
        self.app.models.notices.holder(ticket)
        self.show("unsubscribe.html", ticket=ticket)

    async def post(self, ticket: str) -> None:
        await self.app.models.notices.unsubscribe(ticket)
        self.show("notice.html", heading=self.translate("Ended"), message=self.translate(
            "You get no more mails about replies. On your account page you can have them again."))  # fmt: skip
