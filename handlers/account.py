"""Registering, signing in and out, and a member's own page."""

from typing import Any

from handlers import doorman
from handlers.forms import NewName, NewPassword, Registration
from handlers.limits import TooMany
from handlers.origin import safe_next
from handlers.pages import HtmlPage
from handlers.signing import NOT_ACTIVE, WRONG, Signing
from models import links, passwords
from models.errors import Forbidden, Invalid, NotFound
from models.roles import EDITOR, LOGIN, has
from models.tokens import SCOPES


class Register(Signing, HtmlPage):
    public = False

    async def get(self) -> None:
        invite = self.get_query_argument("invite", "")
        if invite:
            self.set_header("Referrer-Policy", "strict-origin")  # logs keep where a request came from; not this address
            if not await self.app.models.links.good(invite, links.ADMIN):
                raise NotFound("invitation")
        if self.site.registration == "closed" and not invite:
            self.set_status(403)
        elif self.user and not invite:
            self.redirect(self.reverse_url("account"))
            return
        self.show("register.html", invite=invite, stamp=doorman.stamp(self))

    async def post(self) -> None:
        invite = self.get_body_argument("invite", "")
        self._closed(invite)
        fields = {
            name: self.get_body_argument(name, "", strip=name != "password") for name in ("name", "email", "password")
        }
        try:
            form = Registration.read(fields)
            if not invite and (problem := doorman.problem(self)):
                raise Invalid({"form": problem})
            user = await self.register(form, invite)
        except (Invalid, TooMany) as error:
            kept = {name: fields[name] for name in ("name", "email")}
            self.show_refused("register.html", error, values=kept, invite=invite, stamp=doorman.stamp(self))
            return
        if not user.active:
            self.show("notice.html", heading=self.translate("Thank you"), message=self.translate(
                "An operator will look at your registration. You can sign in as soon as it is approved."))  # fmt: skip
            return
        await self.sign_in(user)
        self.redirect(self.reverse_url("manage" if invite else "front"), status=303)

    def _closed(self, invite: str) -> None:
        if self.site.registration == "closed" and not invite:
            raise Forbidden("registration is closed")


class SignIn(Signing, HtmlPage):
    public = False

    async def get(self) -> None:
        going_to = safe_next(self.get_query_argument("next", "/"))
        if self.user:
            self.redirect(going_to)
            return
        self.show("signin.html", values={"next": going_to}, notice=self.get_query_argument("done", ""))

    async def post(self) -> None:
        email, password = self.get_body_argument("email", ""), self.get_body_argument("password", "", strip=False)
        going_to = safe_next(self.get_body_argument("next", "/"))
        kept = {"email": email, "next": going_to}
        try:
            user = await self.authenticate(email, password)
        except TooMany as error:
            self.show_refused("signin.html", error, values=kept)
            return
        if user is None or not user.active:
            self.show_wrong("signin.html", 401, {"form": NOT_ACTIVE if user else WRONG}, values=kept)
            return
        await self.sign_in(user)
        self.redirect(going_to, status=303)


class SignOut(Signing, HtmlPage):
    public = False

    async def post(self) -> None:
        await self.sign_out()
        self.redirect(self.reverse_url("front"), status=303)


class AccountForm(HtmlPage):
    """One of the forms on the account page; opened by GET it leads there."""

    public = False
    needs = LOGIN

    async def get(self, *_: str) -> None:
        self.redirect(self.reverse_url("account"))

    async def show_account(
        self, status: int = 200, errors: dict[str, str] | None = None, values: dict[str, Any] | None = None
    ) -> None:
        """The page, after a form on it was refused too."""
        models, me = self.app.models, self.member()
        comments = await models.comments.mine(me.id, before=self.query_number("before") or None)
        posts = await models.posts.managed(author_id=me.id)
        polls = await models.polls.by_author(me.id) if has(self.bits, EDITOR) else []
        # What has become a draft again is called, from then on, what only editors may know.
        found = await models.posts.many([comment.post_id for comment in comments])
        titles = {post.id: post for post in found if post.status == "published"}
        self.set_status(status)
        shown = {name: self.translate(text) for name, text in (errors or {}).items()}
        self.show(
            "account.html", sessions=await models.sessions.of_user(me.id), current_id=self.session.id if self.session else 0,
            tokens=await models.tokens.of_user(me.id), token_scopes=SCOPES,
            posts=posts, polls=polls, comments=comments, post_titles=titles, errors=shown, values=values or {"name": me.name},
            mails=models.mails.enabled, replies=await models.notices.wanted(me.id),
            notice=self.get_query_argument("done", ""), more=f"?before={comments[-1].id}" if len(comments) == 50 else None,
        )  # fmt: skip

    def done(self, what: str) -> None:
        self.redirect(f"{self.reverse_url('account')}?done={what}", status=303)


class Account(AccountForm):
    async def get(self, *_: str) -> None:
        await self.show_account()


class ChangeName(AccountForm):
    async def post(self) -> None:
        fields = {"name": self.get_body_argument("name", "")}
        try:
            form = NewName.read(fields)
        except Invalid as error:
            await self.show_account(422, error.fields, fields)
            return
        await self.app.models.users.rename(self.member().id, form.name)
        self.done("name")


class ChangePassword(Signing, AccountForm):
    async def post(self) -> None:
        """A new password ends all other sessions, and all tokens: who knew the old one is out."""
        me = self.member()
        fields = {name: self.get_body_argument(name, "", strip=False) for name in ("current", "new")}
        try:
            form = NewPassword.read(fields)
            if await self.authenticate(me.email, form.current) is None:
                raise Invalid({"current": "This is not your present password."})
        except Invalid as error:
            await self.show_account(422, error.fields)
            return
        hashed, own = await passwords.hash_password(form.new), self.session.id if self.session else 0
        await self.app.models.addresses.new_password(me.id, hashed, but=own)
        self.done("password")


class RevokeSession(Signing, AccountForm):
    async def post(self, id: str) -> None:
        await self.app.models.sessions.revoke(int(id), user_id=self.member().id)
        if self.session and self.session.id == int(id):
            await self.sign_out()
            self.redirect(self.reverse_url("front"), status=303)
        else:
            self.done("session")


class RevokeSessions(Signing, AccountForm):
    """Sign out everywhere, here too."""

    async def post(self) -> None:
        await self.app.models.sessions.revoke_all(self.member().id)
        await self.sign_out()
        self.redirect(self.reverse_url("signin"), status=303)


class ChooseLanguage(HtmlPage):
    """The one cookie that a visitor gets, by a link, in no form that identifies anybody."""

    public = False

    async def get(self, lang: str) -> None:
        self.set_cookie("lang", lang, path="/", expires_days=365, samesite="Lax", secure=self.https)
        if self.user:
            await self.app.models.notices.read_in(self.user.id, lang)
        self.redirect(safe_next(self.get_query_argument("next", "/")), status=303)
