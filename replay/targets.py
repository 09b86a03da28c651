"""Which site is replayed against, and whether it may be."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`address` is what `host` resolved to, once, before the run; `authority` what stands in the header Host."""

    url: str
    host: str
    address: str
    port: int
    authority: str
    tls: ssl.SSLContext | None
    loopback: bool


class Refused(Exception):
    """It is no replay target, or not there; the text says it in a line."""


async def find(url: str, *, insecure: bool = False) -> Target:
    """Raises Refused; ValueError for what is no address of a site."""
    raise NotImplementedError


async def ask(target: Target, *, writes: bool, timeout: float = 10.0) -> None:
    """Whether it says that it is a replay target; a loopback address may be read from without. Raises Refused."""
    raise NotImplementedError
