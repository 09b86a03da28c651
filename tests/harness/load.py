"""Readers at a steady rate, in a process of their own; what was answered is counted, and whatever was not is a failure.

`with reading(port, asks, rate=2000) as load:` does something to the site meanwhile; `load.report` then says what became of it.
"""

import asyncio
import itertools
import json
import math
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import uvloop

from settings import ROOT
from tests.harness.visitors import Failed, Visitor

FEW, MANY = 16, 64  # clients: on a busy machine each of them waits for all others
NEW_CONNECTIONS = 8  # one client of so many opens a connection for each request
PATIENCE = 120.0  # s for the first answer of each kind, and for the report
TOLD = 20  # failures that are told one by one
LANGUAGES = ("en-GB,en;q=0.8", "zh-CN,zh;q=0.9")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the mix, asked `share` times as often as one with 1. With a `form` it is a POST, for which a refusal
    (4xx) is an answer too."""

    kind: str
    path: str
    share: float = 1.0
    cookie: str = ""
    form: str = ""

    def request(self, port: int, language: str, *, keeps: bool) -> bytes:
        lines = [
            f"{'POST' if self.form else 'GET'} {self.path} HTTP/1.1", f"Host: localhost:{port}", f"Accept-Language: {language}",
            "Accept-Encoding: gzip", "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
        ]  # fmt: skip
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if self.form:
            lines += ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin",
                      f"Content-Length: {len(self.form)}"]  # fmt: skip
        if self.form or not keeps:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + f"\r\n\r\n{self.form}").encode()


@dataclass
class Report:
    """`answered` by kind, `failed` by what happened; `again`: sent twice because a kept connection was closed meanwhile.
    `caches` are Nginx's words (X-Cache), "" where it has none. Latencies are milliseconds."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    caches: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    again: int = 0
    seconds: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0

    @property
    def requests(self) -> int:
        return self.answered.total() + self.failed.total()

    def __str__(self) -> str:
        stored = ", ".join(f"{word} {count}" for word, count in self.caches.most_common() if word)
        return (
            f"{self.requests} requests in {self.seconds:.1f} s ({self.requests / max(self.seconds, 0.1):.0f}/s), "
            f"{self.failed.total()} failed, {self.again} sent again; p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, "
            f"slowest {self.slowest:.0f} ms"
            + (f"; {stored}" if stored else "")
            + "".join(f"\n  {one}" for one in self.told)
        )


@dataclass
class Load:
    """`report` is there when the block has ended."""

    process: "subprocess.Popen[str]"
    report: Report = field(default_factory=Report)


@contextmanager
def reading(
    port: int, asks: Sequence[Ask], *, rate: float = 100.0, clients: int = FEW, patience: float = 60.0
) -> Iterator[Load]:
    """The mix is asked for while the block lasts, so many times a second or as often as it is answered; each once before it
    begins. What has no answer after `patience` seconds has failed."""
    told = {
        "port": port, "rate": rate, "clients": clients, "patience": patience, "asks": [asdict(ask) for ask in asks]
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "tests.harness.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "going\n", "the load did not begin"
            load = Load(process)
            yield load
            said, _ = process.communicate(timeout=PATIENCE)  # closes its input, upon which it ends
            numbers = json.loads(said)
            load.report = Report(
                **numbers | {name: Counter(numbers[name]) for name in ("answered", "failed", "caches")}
            )
        finally:
            process.kill()


class _Crowd:
    """All clients of a load, and what they have seen."""

    def __init__(self, port: int, rate: float, clients: int, patience: float, asks: Sequence[Ask]) -> None:
        self.report = Report()
        self._port, self._asks, self._clients, self._patience = port, asks, clients, patience
        self._pause = clients / rate
        self._latencies: list[float] = []
        self._began = time.monotonic()
        self._over = asyncio.Event()

    async def meet(self) -> None:
        """Each request once, in both languages: what can be remembered is."""
        visitor = Visitor(self._port, keeps=True, patience=self._patience)
        for ask, language in itertools.product(self._asks, LANGUAGES):
            await self._one(visitor, ask, ask.request(self._port, language, keeps=True))
        visitor.close()

    async def run(self) -> None:
        self._began = time.monotonic()
        await asyncio.gather(*map(self._client, range(self._clients)))
        took = sorted(self._latencies) or [0.0]
        self.report.seconds = time.monotonic() - self._began
        self.report.p50, self.report.p99 = took[len(took) // 2] * 1000, took[math.ceil(len(took) * 0.99) - 1] * 1000
        self.report.slowest = took[-1] * 1000

    def end(self) -> None:
        self._over.set()

    async def _client(self, number: int) -> None:
        """Never faster than its share of the rate: what was late is not made up for."""
        keeps = number % NEW_CONNECTIONS != 0
        visitor, chance = Visitor(self._port, keeps=keeps, patience=self._patience), random.Random(number)
        language = LANGUAGES[number % len(LANGUAGES)]
        requests = [ask.request(self._port, language, keeps=keeps) for ask in self._asks]
        shares = list(itertools.accumulate(ask.share for ask in self._asks))
        due = self._began + self._pause * number / self._clients
        while not await self._is_over(due):
            (one,) = chance.choices(range(len(requests)), cum_weights=shares)
            await self._one(visitor, self._asks[one], requests[one])
            due = max(due + self._pause, time.monotonic())
        visitor.close()
        self.report.again += visitor.again

    async def _is_over(self, due: float) -> bool:
        await asyncio.sleep(due - time.monotonic())
        return self._over.is_set()

    async def _one(self, visitor: Visitor, ask: Ask, request: bytes) -> None:
        sent = time.monotonic()
        try:
            answer = await visitor.ask(request, alone=bool(ask.form))
            failed = "" if answer.status < (500 if ask.form else 400) else str(answer.status)
            if answer.status == 503 and not answer.retry_after:
                failed = "503 without Retry-After"
            self.report.caches[answer.cache] += 1
        except Failed as error:
            failed = str(error)
        took = time.monotonic() - sent
        self._latencies.append(took)
        if not failed:
            self.report.answered[ask.kind] += 1
            return
        self.report.failed[f"{ask.kind}: {failed}"] += 1
        if len(self.report.told) < TOLD:
            at = sent - self._began
            self.report.told.append(f"at {at:.2f} s, after {took * 1000:.0f} ms: {ask.kind} {ask.path}: {failed}")


async def _main(port: int, rate: float, clients: int, patience: float, asks: Sequence[Ask]) -> None:
    crowd = _Crowd(port, rate, clients, patience, asks)
    await crowd.meet()
    print("going", flush=True)
    asyncio.get_running_loop().add_reader(sys.stdin, crowd.end)
    await crowd.run()
    print(json.dumps(vars(crowd.report)))


if __name__ == "__main__":
    choices = json.loads(sys.stdin.readline())
    uvloop.run(_main(**choices | {"asks": [Ask(**one) for one in choices["asks"]]}))
