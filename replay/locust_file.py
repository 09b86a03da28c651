"""A Locust test of recorded sessions: each user plays one after another, each request with the pause that it had.

`plaza replay export locust` writes this file with its sessions; it needs nothing but Locust:

    locust -f FILE --host http://127.0.0.1:8000 --headless -u 50 -r 10 -t 1m
    locust -f FILE --host ... --master --expect-workers 2        and on each machine: locust -f FILE --worker --master-host ...

A user is a closed loop: a site that stalls is asked less meanwhile. What was sent side by side is sent one after another here. A
request that needs what only another session or `--values` tells (as `plaza replay prepare` writes it) is left out, and counted.
"""

import json
import logging
import random
import re
import secrets
import sys
import time
import urllib.request
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from locust import FastHttpUser, events, task
from locust.exception import StopUser

SPEED = 1.0  # pauses are divided by it
WRITES = False  # whether what is no GET, HEAD or OPTIONS stands below
HOST_ONLY: tuple[str, ...] = ()  # cookies that have the prefix __Host- under https, and none below
# Each session: a list of [pause in seconds, method, target, name in the results, status, headers, body, what its answer makes].
SESSIONS: list[list[Any]] = []

_HERE = {"localhost", "127.0.0.1", "::1"}
_PLACEHOLDER = re.compile(r"\{\{[a-z][a-z0-9_.]*:[A-Za-z0-9_-]{1,40}\}\}", re.ASCII)
_run = f"locust-{secrets.token_hex(4)}"
_left_out = [0]


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    parser.add_argument("--values", metavar="FILE", default="", help="What placeholders stand for, on this target.")


@events.init.add_listener
def _asked(environment: Any, **_: Any) -> None:
    if environment.host and not _allowed(environment.host):
        sys.exit(3)


@events.test_stop.add_listener
def _told(environment: Any, **_: Any) -> None:
    if _left_out[0]:
        logging.warning("%d requests were left out: nobody told what their placeholders stand for", _left_out[0])


@cache
def _allowed(host: str) -> bool:
    """Whether it says that it is a replay target; a loopback address may be read from without."""
    if not WRITES and urlsplit(host).hostname in _HERE:
        return True
    try:
        with urllib.request.urlopen(f"{host.rstrip('/')}/.well-known/replay-target", timeout=10) as answer:  # noqa: S310
            if json.load(answer)["replay_target"] is True:
                return True
        error: object = "it does not say so"
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        error = wrong
    logging.error("%s is no replay target: %s at /.well-known/replay-target", host, error)
    return False


class Unknown(Exception):
    """A placeholder of which nobody has told what it stands for."""


def _filled(text: str, told: dict[str, str]) -> str:
    """Raises Unknown."""

    def one(found: "re.Match[str]") -> str:
        if found[0] not in told:
            raise Unknown(found[0])
        return told[found[0]]

    return _PLACEHOLDER.sub(one, text)


def _bare(cookie: str) -> str:
    return cookie.removeprefix("__Host-").removeprefix("__Secure-")


class Player(FastHttpUser):
    """One visitor after another."""

    def on_start(self) -> None:
        if not _allowed(self.host or ""):
            self.environment.process_exit_code = 3
            self.environment.runner.quit()
            raise StopUser
        values = self.environment.parsed_options.values
        self.known: dict[str, str] = {}
        if values:
            with open(values, encoding="utf-8") as file:
                self.known = json.load(file)

    @task
    def session(self) -> None:
        self.client.cookiejar.clear()
        self.told = dict(self.known)
        for pause, method, target, name, status, headers, body, made in random.choice(SESSIONS):  # noqa: S311
            time.sleep(pause / SPEED)
            try:
                sent = {key: value if key == "cookie" else _filled(value, self.told) for key, value in headers}
                self._ask(method, _filled(target, self.told), name, status, sent, self._filled_bytes(body), made)
            except Unknown:
                _left_out[0] += 1

    def _filled_bytes(self, body: bytes) -> bytes:
        """Latin-1 keeps every byte as it is, and placeholders are ASCII."""
        told = {name: value.encode().decode("latin-1") for name, value in self.told.items()} if b"{{" in body else {}
        return _filled(body.decode("latin-1"), told).encode("latin-1")

    def _ask(
        self,
        method: str,
        target: str,
        name: str,
        status: int,
        headers: dict[str, str],
        body: bytes,
        made: list[list[str]],
    ) -> None:
        # The cookies are kept here, so that those which the record names and those which the site sets are sent together.
        if cookies := "; ".join(f"{key}={value}" for key, value in self._cookies(headers.pop("cookie", "")).items()):
            headers["Cookie"] = cookies
        headers["X-Replay-Run"] = _run
        headers["accept-encoding"] = "gzip, deflate"  # what the client can unpack
        client: Any = self.client  # its types know no bytes
        with client.request(
            method, target, name=name, data=body or None, headers=headers, allow_redirects=False,
            catch_response=True,
        ) as answer:  # fmt: skip
            if answer.status_code == status:
                answer.success()
            elif answer.status_code:
                answer.failure(f"{answer.status_code} in place of {status}")
            for placeholder, pointer in made:
                if (value := self._made(answer, pointer)) is not None:
                    self.told[placeholder] = value

    def _cookies(self, recorded: str) -> dict[str, str]:
        """What the site has set here, by the name that it has here, stands in for what it had set there. Raises Unknown."""
        live = {cookie.name: cookie.value or "" for cookie in self.client.cookiejar}
        known = {_bare(name) for name in live}
        for part in recorded.split(";"):
            name, equals, value = part.strip().partition("=")
            if equals and _bare(name) not in known:
                live[self._named(name)] = _filled(value, self.told)
        return live

    def _named(self, cookie: str) -> str:
        if not (self.host or "").startswith("https:"):
            return _bare(cookie)
        return f"__Host-{cookie}" if cookie in HOST_ONLY else cookie

    def _made(self, answer: Any, pointer: str) -> str | None:
        """As in the record: `location:` with a pattern of one group, `cookie:` with a name, or a JSON pointer (RFC 6901)."""
        if pointer.startswith("location:"):
            found = re.search(pointer.removeprefix("location:"), answer.headers.get("location") or "")
            return found[1] if found and found.re.groups else None
        if pointer.startswith("cookie:"):
            wanted = _bare(pointer.removeprefix("cookie:"))
            return next((value for name, value in self._cookies("").items() if _bare(name) == wanted), None)
        try:
            value = json.loads(answer.text or "")
            for part in pointer.split("/")[1:]:
                part = part.replace("~1", "/").replace("~0", "~")
                value = value[int(part)] if isinstance(value, list) else value[part]
        except (ValueError, KeyError, IndexError, TypeError):
            return None
        return str(value)
