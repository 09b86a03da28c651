"""Members' traffic goes from http to https and back: a cookie of the record is the site's own, whatever it is named there."""

import ssl

import pytest

from replay import jar
from replay.jar import Jar
from replay.planning import Choices, plan
from replay.plans import Plan
from replay.plaza import Plaza
from replay.records import Request
from tests.replay.going import outcomes, ran
from tests.replay.recordings import request
from tests.replay.serving import OK, Asked, serving

SESSION, NEW = "{{cookie:1}}", "{{cookie:2}}"
COOKIE = (("cookie", f"lang=zh; plaza={SESSION}"),)


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def planned(*requests: Request) -> Plan:
    return plan(requests, Plaza(), Choices(writes=True), "http://old.example")


async def test_a_prepared_session_has_the_name_that_the_target_asks_for(scheme: str, tls: ssl.SSLContext) -> None:
    name = {"http": "plaza", "https": "__Host-plaza"}[scheme]
    async with serving(tls=tls if scheme == "https" else None) as served:
        await ran(planned(request(0, 0, "/account", headers=COOKIE)), served, values={SESSION: "prepared"})

        assert [asked.headers["cookie"] for asked in served.asked] == [f"lang=zh; {name}=prepared"]


async def test_who_signs_in_is_known_by_the_cookie_that_the_target_gave(scheme: str, tls: ssl.SSLContext) -> None:
    """Where the placeholder of it stands, too: in another session, and in the place of the one of before."""
    name = {"http": "plaza", "https": "__Host-plaza"}[scheme]

    def answer(asked: Asked) -> bytes:
        if asked.target == "/signin":
            return OK.replace(b"\r\n\r\n", f"\r\nSet-Cookie: {name}=new; Path=/; HttpOnly\r\n\r\n".encode())
        return OK if f"{name}=new" in asked.headers["cookie"] else OK.replace(b"200 OK", b"401 Who?")

    recorded = [
        request(0, 0, "/signin", method="POST", headers=COOKIE, made=((NEW, "cookie:plaza"),)),
        request(1, 5, "/account", headers=COOKIE, after=0),
        request(2, 9, "/account/tokens", session="elsewhere", headers=(("cookie", f"plaza={NEW}"),)),
    ]
    async with serving(answer, tls if scheme == "https" else None) as served:
        measure = await ran(planned(*recorded), served, values={SESSION: "old"})

        sent = {asked.target: asked.headers["cookie"] for asked in served.asked}
    assert outcomes(measure) == {"200": 3}
    assert sent["/account"] == f"lang=zh; {name}=new"
    assert sent["/account/tokens"] == f"{name}=new"


@pytest.mark.parametrize(("https", "name"), [(False, "sid"), (True, "__Secure-sid")])
def test_a_record_from_elsewhere_may_name_them_as_they_were(https: bool, name: str) -> None:
    cookies = jar.recorded("__Secure-sid=1; lang=zh", https=https, host_only=())

    assert Jar().header(cookies, str) == f"{name}=1; lang=zh"


def test_the_name_that_the_site_sets_counts_from_then_on() -> None:
    """Of a site of which nothing is known, too."""
    cookies, kept = jar.recorded("sid=1; lang=zh", https=True, host_only=()), Jar()

    kept.take(b"HTTP/1.1 200 OK\r\nSet-Cookie: __Secure-sid=2; Secure\r\n\r\n")

    assert kept.header(cookies, str) == "__Secure-sid=2; lang=zh"


def test_what_the_site_took_away_is_not_what_it_gave_under_another_name() -> None:
    cookies, kept, ended = jar.recorded("plaza=1", https=True, host_only={"plaza"}), Jar(), Jar()
    given, before, gone = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: __Host-plaza=2; Secure\r\n",
        b"Set-Cookie: plaza=; Max-Age=0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: __Host-plaza=; Max-Age=0\r\n\r\n",
    )

    kept.take(given + before)
    ended.take(given + b"\r\n")
    ended.take(gone)

    assert kept.header(cookies, str) == kept.header(None, str) == "__Host-plaza=2"
    assert ended.header(cookies, str) == ended.header(None, str) == ""
