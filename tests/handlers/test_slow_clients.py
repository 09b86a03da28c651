"""Hundreds who send or read a byte a second hold connections of Nginx's, no web process, and nobody who reads beside them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from models import connected
from models.writing import Draft
from tests.commands.instances import until
from tests.handlers.odd_requests import MEGABYTE, get, post
from tests.harness import people as everybody
from tests.harness.bare import say
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.harness.slow import crowd, readers

PEOPLE = 500  # of each kind
PATIENCE = 1.0  # s at p99, of who reads beside them; 0.1 on a machine that does nothing else
ROOM = 300 * MEGABYTE  # of memory, for 1,500 who take their time
MOST_SENDERS = 1000  # from one address; deploy/nginx.conf
HEAD = b"GET /about HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n"


async def _long_page(site: Site) -> bytes:
    """The question for a page of a third of a megabyte."""
    async with connected(site.settings) as models:
        alice = (await everybody.find(models)).alice
        draft = Draft("Long", "Very", "\n\n".join(f"{n} and what came after it." for n in range(10_000)), ())
        post = await models.writing.create(draft, by=alice, publish=True)
        return f"GET /blog/{post.id}-{post.slug} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.fixture(scope="module")
def page(whole_site: Site) -> bytes:
    return asyncio.run(_long_page(whole_site))


def held(site: Site) -> int:
    """Connections to the web process that are open. It has bound its socket under another name, which this one begins."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return sum(line.split()[5] == "03" for line in lines if f"{site.settings.run}/web-0.sock" in line)


def visitors(site: Site) -> int:
    """Connections to Nginx that are open on its side."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{site.settings.port:04X}") and line.split()[3] == "01" for line in lines)


def memory(site: Site) -> int:
    """Bytes that Nginx has taken."""
    master = int((site.settings.run / "nginx.pid").read_text())
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in workers)


def test_slow_crowds_hold_no_web_process_and_no_reader(whole_site: Site, page: bytes) -> None:
    port, before = whole_site.settings.port, memory(whole_site)
    with ExitStack() as stack:
        say(("localhost", port), page.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))  # now it is in the store
        headers = stack.enter_context(crowd(port, PEOPLE, HEAD))
        bodies = stack.enter_context(crowd(port, PEOPLE, BODY))
        pages = stack.enter_context(crowd(port, PEOPLE, page, reads=True))
        until(lambda: held(whole_site) == 0, 60)
        waits = readers(port, ("/about", "/search?q=slow", "/healthz"), seconds=3)
        open_there, grown = held(whole_site), memory(whole_site) - before
        here = len(headers.here), len(bodies.here), len(pages.here)

    print(f"{here} slow ones; beside them {waits}; {grown / MEGABYTE:.0f} MB more")
    assert waits.statuses == {200}
    assert waits.at(0.99) < PATIENCE
    assert open_there <= 4  # those of the readers
    assert here[1:] == (PEOPLE, PEOPLE)  # headers may take 15 s
    assert grown < ROOM


def test_who_sends_too_much_at_once_from_one_address_is_told_to_come_again(whole_site: Site) -> None:
    nginx = ("localhost", whole_site.settings.port)
    with crowd(whole_site.settings.port, MOST_SENDERS, BODY):
        until(lambda: say(nginx, post(b"Content-Length: 0", last=True)).statuses == (429,), 30)  # all are counted
        refused = say(nginx, post(b"Content-Length: 0", last=True))
        reading = say(nginx, get(b"Host: localhost", target=b"/about"))

    assert (refused.statuses, refused.headers["retry-after"]) == ((429,), "5")
    assert b"Too much at once" in refused.data
    assert reading.statuses == (200,)


@pytest.mark.long
def test_slow_crowds_are_let_go(databases: Databases) -> None:
    """Who does not say what they want in 15 s, and who reads nothing for 30 s."""
    with run_site(databases) as site, ExitStack() as stack:
        question = asyncio.run(_long_page(site))
        stack.enter_context(crowd(site.settings.port, PEOPLE, HEAD))
        stack.enter_context(crowd(site.settings.port, PEOPLE, question, reads=True))
        until(lambda: visitors(site) > PEOPLE, 30)

        until(lambda: visitors(site) <= PEOPLE, 60)
        until(lambda: visitors(site) == 0, 300)
