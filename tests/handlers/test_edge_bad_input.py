"""What is no good request is refused, or is exactly one: the same through Nginx and straight to a web process."""

import json
import os
import signal
import socket
import struct
from collections import defaultdict
from urllib.parse import urlsplit

import pytest

from tests.commands.instances import until
from tests.handlers.odd_requests import FIRST, REQUESTS, get
from tests.harness.bare import Came, Where, connected, say
from tests.harness.site import Site

DOORS = ("nginx", "straight")
UNHEARD = {400, 414}  # with these the application was not asked
LAST = b"/the-last-one"


def door(site: Site, name: str) -> Where:
    return ("localhost", urlsplit(site.url).port or 80) if name == "nginx" else site.settings.run / "web-0.sock"


def heard(site: Site) -> list[str]:
    """The paths of all requests that the application has answered so far."""
    lines = (site.settings.var / "log" / "web.log").read_text().splitlines()
    return [json.loads(line)["path"] for line in lines if '"plaza.request"' in line]


class Tried:
    """What came of each odd request at each door, and which paths the application heard of because of it."""

    def __init__(self, site: Site) -> None:
        self.came: dict[tuple[str, str], Came] = {}
        self.paths: dict[tuple[str, str], list[str]] = defaultdict(list)
        numbers: dict[str, tuple[str, str]] = {}
        for at in DOORS:
            for name, odd in REQUESTS.items():
                numbers[number := str(1000 + len(numbers))] = at, name
                data = odd.data.replace(b"NNNN", number.encode())
                self.came[at, name] = say(door(site, at), data, hang_up=odd.unended and at == "straight")
            say(door(site, at), get(b"Host: localhost", target=LAST))
        # The line of a request is written a little after its answer.
        until(lambda: heard(site).count(LAST.decode()) == len(DOORS), 30)
        for path in heard(site):
            begin, _, number = path.rpartition("-")
            if number in numbers:
                self.paths[numbers[number]].append(begin.rpartition("/")[2])


@pytest.fixture(scope="module")
def tried(whole_site: Site) -> Tried:
    return Tried(whole_site)


@pytest.mark.parametrize("at", DOORS)
@pytest.mark.parametrize("name", REQUESTS)
def test_an_odd_request_is_refused_or_is_exactly_one(name: str, at: str, tried: Tried) -> None:
    wanted = REQUESTS[name].nginx if at == "nginx" else REQUESTS[name].straight

    assert tried.came[at, name].statuses in (wanted, wanted or (400,))
    assert tried.paths[at, name] == ["first", "smuggled"][: len([status for status in wanted if status not in UNHEARD])]


def test_nothing_is_read_for_who_has_left(whole_site: Site) -> None:
    straight = whole_site.settings.run / "web-0.sock"
    with connected(straight) as first:
        pid, _, _ = struct.unpack("3i", first.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    os.kill(pid, signal.SIGSTOP)  # it is so busy that it hears of all of them together
    try:
        for n in range(20):
            with connected(straight) as left:
                left.sendall(get(b"Host: localhost", target=b"/left-%d" % n))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert say(straight, get(b"Host: localhost", target=b"/stayed")).statuses == (404,)

    until(lambda: "/stayed" in heard(whole_site), 30)
    assert [path for path in heard(whole_site) if path.startswith("/left")] == []


def test_who_speaks_http_0_9_is_told_the_same_as_who_names_no_host(whole_site: Site) -> None:
    came = say(door(whole_site, "nginx"), b"GET %s\r\n" % FIRST)

    assert came.statuses == ()
    assert b"<html" in came.data
