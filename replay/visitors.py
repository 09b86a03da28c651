"""Which requests are one visitor's: the same address and the same program, and for members also the same session cookie.

What Nginx answers from its store is known by address and program alone, and a member reads such pages too. So these two come
first, and a cookie joins the session of the address and program where it is first seen. Only a second member behind the same
address and program, who has a cookie of their own, is a session of their own: without it, for then nothing tells whose it was,
a request counts as the first one's. A cookie that moves to another address takes its session along.
"""

import hmac
from heapq import heappop, heappush
from typing import Final

MOST: Final = 1_000_000  # visitors that are known at a time; who came first is forgotten first


class Session:
    """`name` is the pseudonym in the file; `kept` whether it is in the sample."""

    __slots__ = ("_answered", "_last", "kept", "name", "own", "requests")

    def __init__(self, name: str, kept: bool) -> None:
        self.name, self.kept = name, kept
        self.own: str | None = None  # the cookie that it is known by
        self.requests = 0
        self._answered: list[tuple[int, int]] = []  # (when, the request's number) of what may still be under way
        self._last: int | None = None

    def next(self, t_us: int) -> tuple[int, int | None]:
        """For a request that came then: how many came before it, and the last one that had been answered by then. In the order of
        t; it counts when it is `add`ed."""
        while self._answered and self._answered[0][0] <= t_us:
            self._last = heappop(self._answered)[1]
        return self.requests, self._last

    def add(self, i: int, ended_us: int) -> None:
        """Request number `i` is one of its."""
        heappush(self._answered, (ended_us, i))
        self.requests += 1


class Visitors:
    def __init__(self, secret: bytes, share: float = 1.0) -> None:
        self._secret, self._share = secret, share
        self._by_place: dict[tuple[str, str], Session] = {}
        self._by_cookie: dict[str, Session] = {}
        self._count = 0

    def of(self, address: str, agent: str, cookie: str | None) -> Session:
        """`cookie`: the secret of it, or of a token."""
        place = address, agent
        here = self._by_place.get(place)
        if cookie and (found := self._by_cookie.get(cookie)):
            if here is None:
                self._by_place[place] = found
            return found
        if here is None or (cookie and here.own):
            here = self._new(place, cookie or "")
            self._by_place.setdefault(place, here)
        if cookie:
            self.give(here, cookie)
        return here

    def give(self, session: Session, cookie: str) -> None:
        """From here on this cookie is this session's: it was set in an answer to it, or first seen in it."""
        session.own = cookie
        self._by_cookie[cookie] = session
        if len(self._by_cookie) > MOST:
            del self._by_cookie[next(iter(self._by_cookie))]

    def _new(self, place: tuple[str, str], cookie: str) -> Session:
        self._count += 1
        if len(self._by_place) > MOST:
            del self._by_place[next(iter(self._by_place))]
        digest = hmac.digest(self._secret, "\n".join((*place, cookie)).encode(errors="surrogatepass"), "sha256")
        return Session(f"s{self._count}", int.from_bytes(digest[:8], "big") < self._share * 2**64)
