"""Where a request comes from: its address, its scheme, its language, and whether another site made the browser send it."""

import random
import re
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from tornado.httputil import HTTPConnection, HTTPServerRequest, parse_cookie

from content.languages import LANGUAGES
from settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LOOPBACK_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


def address(request: HTTPServerRequest, settings: Settings) -> IPv4Address | IPv6Address | None:
    """The visitor's address: what a trusted proxy says, else the peer's own. Nginx on our Unix socket is always trusted."""
    told = (
        request.headers.get("X-Real-IP", "")
        if _by_trusted_proxy(request.connection, settings)
        else request.remote_ip or ""
    )
    try:
        found = ip_address(told)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def scheme(request: HTTPServerRequest, settings: Settings) -> str:
    """http or https, as the visitor's browser sees it."""
    told = (
        request.headers.get("X-Forwarded-Proto", "")
        if _by_trusted_proxy(request.connection, settings)
        else request.protocol
    )
    return "https" if told == "https" else "http"


def behind_a_stranger(request: HTTPServerRequest, settings: Settings) -> bool:
    """Whether the request came through a proxy that is not trusted. Nginx sees to that itself, for its own peers."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    return forwarded and not _by_trusted_proxy(request.connection, settings)


def _by_trusted_proxy(connection: HTTPConnection | None, settings: Settings) -> bool:
    context = getattr(connection, "context", None)
    if getattr(context, "address_family", None) == socket.AF_UNIX:
        return True
    try:
        peer = ip_address(getattr(context, "remote_ip", ""))
    except ValueError:
        return False
    return any(peer.version == network.version and peer in network for network in settings.trusted_proxies)


def for_the_store(headers: Mapping[str, str], connection: HTTPConnection | None, settings: Settings) -> bool:
    """Whether Nginx asks for what it may store, and give to everybody. It hands on nothing that tells one reader from another."""
    return "X-Plaza-Edge" in headers and "Cookie" not in headers and _by_trusted_proxy(connection, settings)


def given_up(connection: HTTPConnection | None, settings: Settings) -> bool:
    """Whether the proxy before us has hung up, as Nginx does when the visitor has: nobody waits for the answer any more.

    It is not so with anybody else, who may have closed but the direction in which all is said.
    """
    stream = getattr(connection, "stream", None)
    if stream is None or not _by_trusted_proxy(connection, settings):
        return False
    try:
        rest: bytes = stream.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not rest


def request_id(told: str, connection: HTTPConnection | None, settings: Settings) -> str:
    """The name of a request in all logs: the one `told` in its X-Request-Id, if that is Nginx's word, else a new one."""
    if told and _REQUEST_ID.fullmatch(told) and _by_trusted_proxy(connection, settings):
        return told
    return f"{random.getrandbits(128):032x}"


def known_host(host: str, settings: Settings) -> bool:
    """Whether the site answers to this Host: its own name, or a loopback name on any port."""
    return host.lower() == urlsplit(settings.site_url).netloc.lower() or _LOOPBACK_HOST.fullmatch(host) is not None


def cross_origin(request: HTTPServerRequest, settings: Settings) -> bool:
    """Whether a state-changing request was made by a page of another origin."""
    return request.method not in SAFE_METHODS and made_elsewhere(request)


def made_elsewhere(request: HTTPServerRequest) -> bool:
    """Whether a page of another origin made the browser send this request, whatever its method.

    The rule of Go's net/http CrossOriginProtection: Sec-Fetch-Site decides where there is one, else Origin; a request
    with neither is not a browser's.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:  # `http://[`
        return True
    return f"{parts.scheme}://{parts.netloc}" != origin or parts.netloc.lower() != request.host.lower()


def wanted_language(accepted: str, cookie: str) -> str:
    """en or zh: the one chosen by the link, else the first of Accept-Language; "" for any other. Nginx follows the same rule.

    `accepted`, `cookie`: the headers Accept-Language and Cookie, or "".
    """
    if "lang" in cookie:
        chosen = parse_cookie(cookie).get("lang")
        if chosen in LANGUAGES:
            return chosen
    first = accepted.partition(",")[0].strip().lower()[:2]
    return first if first in LANGUAGES else ""


def safe_next(path: str | None) -> str:
    """The path to go on to after signing in, if it is one of ours; else `/`. Other hosts, `//host` and `/\\host` are refused."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 32 for c in path):
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else "/"
