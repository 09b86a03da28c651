"""What all handlers do alike: who asks, from where, in which language; headers; how an error is answered."""

import logging
from asyncio import Future
from collections.abc import Awaitable
from typing import Any, ClassVar
from urllib.parse import quote

from tornado.web import HTTPError, RequestHandler

from handlers import bearer, origin
from handlers.app import App
from handlers.keeping import Keeping
from handlers.limits import Standing
from handlers.statuses import Told, tell_of
from handlers.tracing import ASKED_BY
from models import audit, errors
from models.roles import EDITOR, has
from models.sessions import Session
from models.site import Site
from models.tokens import READ, Token
from models.traces import TRACE, Trace
from models.users import User

log = logging.getLogger("plaza.web")

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

FRESH = "fresh"  # the cookie by which Nginx knows who has just written, and asks for their pages anew
LONGEST_BACK = 1000  # characters of an address that is come back to; a header has little room

ID = r"([0-9]{1,18})"  # an id in a route: at most 18 digits, so that MySQL can hold it


class Base(Keeping):
    """`needs`: the permission that every method asks for."""

    needs: ClassVar[int] = 0
    answers_json: ClassVar[bool] = False
    user: User | None = None
    bits: int = 0
    session: Session | None = None
    secret: str | None = None
    token: Token | None = None
    lang: str = "en"
    site: Site

    def initialize(self, app: App, route: str = "") -> None:
        self.app, self.route = app, route
        self.show_as(app.models.sites.defaults)

    def show_as(self, site: Site) -> None:
        """The site's names and rules for this answer, and the language that follows from them."""
        self.site = site
        headers = self.request.headers
        self.lang = (
            origin.wanted_language(headers.get("Accept-Language", ""), headers.get("Cookie", "")) or site.language
        )
        self.set_header("Content-Language", self.lang)

    def set_default_headers(self) -> None:
        """What every answer carries, errors too: Tornado sets them anew when it begins the page of an error."""
        self.set_header("Server", "Plaza")
        self.set_header("X-Content-Type-Options", "nosniff")
        # With no-referrer browsers send `Origin: null`, which the same-origin check refuses.
        self.set_header("Referrer-Policy", "strict-origin-when-cross-origin")
        self.set_header("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        self.set_header("Content-Security-Policy", _CSP)
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        keep = "public, max-age=0, must-revalidate" if self.public else "private, no-store"
        self.set_header("Cache-Control", keep)
        if self.public:
            self.set_header("Vary", "Accept-Language")
        if self.trace:
            self.set_header("X-Request-Id", self.trace.id)

    async def prepare(self) -> None:
        """Refuse strangers' hosts and other sites' forms; find out who asks, unless the answer is the same for everybody."""
        told, settings = self.request.headers.get("X-Request-Id", ""), self.app.settings
        # A question that waited at the door has its trace from there.
        trace = TRACE.get() or Trace(origin.request_id(told, self.request.connection, settings))
        self.begin_trace(trace)
        self.set_header("X-Request-Id", trace.id)
        audit.ADDRESS.set(self.packed_address)
        if not origin.known_host(self.request.host, settings):
            raise HTTPError(421, f"host {self.request.host!r} is not this site's")
        self.secret = bearer.told(self.request)
        # A page of another site can make the browser send the cookie, but not a token that it does not know.
        if self.secret is None and origin.cross_origin(self.request, settings):
            raise HTTPError(403, "cross-origin")
        if self.request.method not in self.allowed():
            raise HTTPError(405, f"{self.request.method} is not for this address")
        if ASKED_BY in self.request.headers and self.request.method == "GET" and settings.timing_badge:
            await self.identify()
            self.timed = self.may_see_times
            # The page itself is made as for everybody, and its time begins here.
            self.user, self.session, self.bits = None, None, 0
            self.begin_trace(Trace(trace.id))
        self.begin_reading()
        try:
            self.show_as(await self.app.models.sites.now())
        except errors.Busy:
            self.reading = None  # what can be shown without MySQL is shown under the settings' names, and not kept
        if not self.public or self.secret is not None or self.request.method not in origin.SAFE_METHODS:
            self.set_header("Cache-Control", "private, no-store")
            await self.identify()
        if self.needs and not has(self.bits, self.needs):
            if self.user:
                raise errors.Forbidden(f"needs {self.needs:#04x}")
            await self.ask_to_sign_in()

    async def ask_to_sign_in(self) -> None:
        """What a visitor without a session gets where one is needed."""
        if self.answers_json or self.request.method not in ("GET", "HEAD"):
            raise HTTPError(401, "not signed in")
        back = quote(self.request.uri or "/", safe="/")
        after = f"?next={back}" if len(back) <= LONGEST_BACK else ""
        self.redirect(f"{self.reverse_url('signin')}{after}")

    async def identify(self) -> None:
        """Find out who asks, by token or by session cookie. What follows is for them alone, and is not kept.

        Raises what is wrong with a token; a wrong cookie is a visitor's.
        """
        self.reading = None
        models, cookie = self.app.models, self.get_cookie(self.cookie_name)
        user: User | None = None
        if self.secret is not None:
            self.token, user = await bearer.holder(self.app, self.secret, self.address)
            bearer.allow(self.token, self.scope())
        elif cookie:
            self.session = await models.sessions.by_token(cookie)
            user = await models.users.find(self.session.user_id) if self.session else None
        if user and user.active:
            self.user, self.bits = user, await models.users.bits(user)
            if self.trace:
                self.trace.user_id = user.id

    def scope(self) -> str:
        """Which scope of a token this request needs (models/tokens.py), or one of the words in handlers/bearer.py."""
        return bearer.needed(self.request.method, public=self.public)

    @property
    def may_see_times(self) -> bool:
        """Whether who asks is told what a page waited for: staff, when the setting says so."""
        return self.app.settings.timing_badge and self.token is None and has(self.bits, EDITOR)

    def member(self, permission: int = 0) -> User:
        """Who is signed in, and has the permission. Raises HTTPError 401 for nobody, Forbidden for who lacks it."""
        if self.user is None:
            raise HTTPError(401, "not signed in")
        if self.token:
            # An address may be public, and yet have something for members.
            bearer.allow(self.token, self.scope() or READ)
        if not has(self.bits, permission):
            raise errors.Forbidden(f"needs {permission:#04x}")
        return self.user

    @property
    def https(self) -> bool:
        return origin.scheme(self.request, self.app.settings) == "https"

    @property
    def cookie_name(self) -> str:
        """`__Host-` ties the cookie to this host over TLS; browsers refuse that name without Secure."""
        return "__Host-plaza" if self.https else "plaza"

    @property
    def address(self) -> str:
        """The visitor's address as limits and lists know it; an IPv6 visitor is known by the /64 that is theirs."""
        found = origin.address(self.request, self.app.settings)
        return str(found) if found is None or found.version == 4 else str(found.exploded[:19])

    @property
    def packed_address(self) -> bytes | None:
        found = origin.address(self.request, self.app.settings)
        return found.packed if found else None

    def query_number(self, name: str, default: int = 0) -> int:
        """A whole number of the query: where a list goes on. Raises NotFound for anything else."""
        text = self.get_query_argument(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise errors.NotFound(f"{name}={text!r}")
        return int(text)

    def translate(self, message: str) -> str:
        return self.app.views.translate(self.lang, message)

    def tell_standing(self, standing: Standing) -> None:
        for name, value in standing.headers().items():
            self.set_header(name, value)

    def head(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        """As GET; Tornado leaves the body out."""
        answer: Awaitable[None] | None = self.get(*args, **kwargs)
        return answer

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "Future[None]":
        """As Tornado's; who has written sees what is now, for as long as Nginx may have pages of before."""
        wrote = self.request.method not in origin.SAFE_METHODS and self.get_status() < 400 and self.secret is None
        if wrote and not self._headers_written:
            self.set_cookie(
                FRESH, "1", max_age=self.app.settings.page_ttl, httponly=True, samesite="Lax", secure=self.https
            )
        return super().finish(chunk)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell the visitor what went wrong, in the form of this handler (`tell`)."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        told = self.refusal(error, status_code)
        self.set_status(told.status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Language", self.lang)
        for name, value in told.headers.items():
            self.set_header(name, value)
        if told.status == 405:
            self.set_header("Allow", ", ".join(self.allowed()))
        if told.status == 401 and self.answers_json and "WWW-Authenticate" not in told.headers:
            self.set_header("WWW-Authenticate", bearer.REALM)
        self.tell(told)

    def refusal(self, error: BaseException | None, status: int) -> Told:
        """The status and words for an error, here."""
        return tell_of(error, status)

    def allowed(self) -> list[str]:
        """The methods that this handler has."""
        names = ("get", "post", "put", "patch", "delete")
        own = [name.upper() for name in names if getattr(type(self), name) is not getattr(RequestHandler, name)]
        return ["HEAD", *own] if "GET" in own else own

    def tell(self, told: Told) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no form for errors")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Only what is a fault of ours, or of a server behind us, is worth a line."""
        status = tell_of(value, 500).status
        if status == 500:
            log.error("%s %s", self.request.method, self.request.path, exc_info=(typ, value, tb))
        elif status > 500:
            log.warning("%s %s: %s", self.request.method, self.request.path, value)
