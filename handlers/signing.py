"""Proving who one is: what the pages and the API of accounts have in common."""

from handlers.base import Base
from handlers.forms import Registration
from models import links, passwords
from models.users import User

WRONG = "There is no account with this address and password."
# Told to who knows the password, so it gives nothing away.
NOT_ACTIVE = "This account is not active: it waits for an operator's approval, or an operator has closed it."


class Signing(Base):
    """A handler that can register, authenticate, sign in and sign out."""

    async def register(self, form: Registration, invite: str = "") -> User:
        """A new member, or the administrator that an unused invitation makes. Raises Taken, NotFound, TooMany."""
        limits, users = self.app.limits, self.app.models.users
        welcome = self.app.models.addresses.welcome(self.lang)
        self.tell_standing(await limits.hit(limits.registration, self.address))
        active = self.site.registration != "approve" or bool(invite)
        hashed = await passwords.hash_password(form.password)
        if invite:
            return await users.register(form.name, form.email, hashed, role=links.ADMIN, invite=invite, also=welcome)
        return await users.register(form.name, form.email, hashed, active=active, also=welcome)

    async def authenticate(self, email: str, password: str) -> User | None:
        """The user with this address and password. Failures are counted by account and by address, successes not; an unknown
        address takes the same time, the same counting and the same answer. An account that is not active may not be signed in:
        the caller looks. Raises TooMany."""
        limits, users = self.app.limits, self.app.models.users
        account = email.strip().lower()[:254]
        # Counted before it is known, and given back after: many tries at one moment are many tries.
        counted = ((limits.signin_account, account), (limits.signin_address, self.address))
        for limit, subject in counted:
            await limits.hit(limit, subject)
        known = await users.password_hash(account)
        if not await passwords.verify(password[: passwords.LONGEST + 1], known[1] if known else None) or not known:
            return None
        for limit, subject in counted:
            await limits.give_back(limit, subject)
        return await users.by_id(known[0])

    async def sign_in(self, user: User) -> None:
        """A new session, and the cookies that carry it: the token, and a readable `member=1` that is no secret."""
        models, settings = self.app.models, self.app.settings
        token = await models.sessions.start(
            user.id,
            days=settings.session_days,
            ip=self.packed_address,
            user_agent=self.request.headers.get("User-Agent", ""),
        )
        await models.users.note_login(user.id, self.packed_address)
        self.give_cookies(token)

    def give_cookies(self, token: str) -> None:
        days = self.app.settings.session_days
        for name, value in ((self.cookie_name, token), ("member", "1")):
            self.set_cookie(
                name, value, path="/", expires_days=days, secure=self.https, samesite="Lax", httponly=name != "member"
            )

    async def sign_out(self) -> None:
        """End this session and take its cookies away; nothing happens when there is none."""
        if self.session:
            await self.app.models.sessions.end(self.session)
        for name in (self.cookie_name, "member"):
            self.clear_cookie(name, path="/", secure=self.https, samesite="Lax")
