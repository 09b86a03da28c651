"""One run of wrk, the load generator, against one address."""

import json
import math
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from commands.benchmarks.lanes import Sample
from commands.console import Trouble
from commands.places import binary

CONNECTIONS = 64  # the same for every lane, so that the closed loop is the same
SCRIPT = Path(__file__).with_name("wrk.lua")
NONE: Mapping[str, str] = MappingProxyType({})
KINDS = {
    "connect": "connections refused",
    "read": "broken answers",
    "write": "broken requests",
    "timeout": "time-outs",
    "status": "answers with an error status",
}


def wrk() -> str:
    """The program. Raises Trouble."""
    found = binary("wrk")
    if found is None:
        raise Trouble("wrk is not installed: apt-get install wrk")
    return found


def run(url: str, seconds: float, headers: Mapping[str, str] = NONE) -> Sample:
    """Ask for `url` as often as it is answered, over 64 connections in one thread, for so long. Raises Trouble.

    wrk counts whole seconds, so shorter runs are ended by a signal, upon which it reports as usual.
    """
    whole = max(1, math.ceil(seconds))
    line = [wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{whole}s", "--timeout", "10s", "-s", str(SCRIPT)]
    line += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    with subprocess.Popen([*line, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            try:
                output, _ = process.communicate(timeout=seconds if seconds < whole else None)
            except subprocess.TimeoutExpired:
                process.send_signal(2)
                output, _ = process.communicate(timeout=30)
        except BaseException:
            process.kill()
            raise
    figures = next((line.removeprefix("JSON ") for line in output.splitlines() if line.startswith("JSON ")), None)
    if figures is None:
        raise Trouble(
            f"wrk failed at {url}: {output.strip().splitlines()[-1] if output.strip() else 'it said nothing'}"
        )
    return _sample(json.loads(figures))


def _sample(found: dict[str, int]) -> Sample:
    failed = {text: found[kind] for kind, text in KINDS.items() if found[kind]}
    if not found["requests"]:
        failed["no answer at all"] = 1
    return Sample(
        rate=found["requests"] / (found["duration"] / 1e6) if found["duration"] else 0.0,
        requests=found["requests"],
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
        slowest=found["slowest"] / 1000,
        failed=failed,
    )
