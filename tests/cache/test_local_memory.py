"""The memory of a process: ten million names, and a full L1."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def run(script: str, *args: str) -> list[int]:
    """What a process of its own prints: its memory is not that of the tests."""
    done = subprocess.run(
        [sys.executable, "-c", script, *args], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return [int(word) for word in done.stdout.split()]


RSS = """
import resource, sys
def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()
"""


def test_half_a_million_names_read_once_do_not_make_a_process_grow() -> None:
    grown = run(RSS + """
from cache.local import Local, now
local = Local(64 << 20); local.begin(); local.fence(now())
def read(first, last):
    for n in range(first, last):
        name = "post:%d" % n
        if local.get(name) is None:
            local.put(local.ticket(name), name, n, stamp=1)
read(0, 100_000)
before = rss()
read(100_000, 600_000)
print(rss() - before, local.kept)
""")  # fmt: skip

    assert grown[0] < 4 << 20
    assert grown[1] < 10


def test_a_full_l1_leaves_a_web_process_under_two_hundred_megabytes() -> None:
    """Of posts, users and comments, as Redis' records give them; some of them pushed out again."""
    said = run(RSS + """
import random
from datetime import UTC, datetime, timedelta
import server  # all that a web process has loaded
from cache.local import Local, now
from models.comments import Comment
from models.posts import Post
from models.users import User

local = Local(64 << 20); local.begin(); local.fence(now())
drawn, moment = random.Random(1), datetime.now(UTC)
pool = drawn.randbytes(100_000).hex()

def text(words):
    start = drawn.randrange(len(pool) - 1000)
    return pool[start : start + 8 * words]

def made(row, n):
    kinds = {"datetime": lambda: moment + timedelta(seconds=n), "bool": lambda: True, "int": lambda: n + 1000,
             "tuple": lambda: (text(1), text(1)), "str": lambda: text(drawn.choice((1, 4, 8, 120)))}
    return row(*(next((make() for kind, make in kinds.items() if kind in str(field.type)), None)
                 for field in row.__dataclass_fields__.values()))

n = 0
while not local.evicted or local.evicted < local.live.count // 4:
    n += 1
    row = (Post, User, Comment)[n % 3]
    name = "%s:%d" % (row.__name__, n)
    for _ in range(2):
        local.put(local.ticket(name), name, made(row, n) if _ else None, stamp=hash(name))
print(rss(), local.live.weight, local.live.count)
""")  # fmt: skip

    assert said[1] > 63 << 20
    assert said[2] > 10_000
    assert said[0] < 200_000_000
