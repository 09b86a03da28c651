"""Which address of a name is asked, when it has several."""

import asyncio
import socket
from typing import Any

import pytest

from replay import targets
from tests.replay.serving import serving


async def test_of_several_addresses_the_first_that_listens_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """localhost may be ::1 to the system, and the site listen at 127.0.0.1."""
    async with serving() as served:
        known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, served.port)) for one in ("127.0.0.9", "127.0.0.1")]
        loop = asyncio.get_running_loop()
        numbers = loop.getaddrinfo

        async def named(host: Any, *told: Any, **more: Any) -> Any:
            return known if host == "two.example" else await numbers(host, *told, **more)

        monkeypatch.setattr(loop, "getaddrinfo", named)
        found = await targets.find(f"http://two.example:{served.port}")

    assert (found.host, found.address, found.loopback) == ("two.example", "127.0.0.1", True)
    assert found.authority == f"two.example:{served.port}"
