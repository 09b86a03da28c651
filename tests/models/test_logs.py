"""What a process says, and what happens when nobody listens."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from models.logs import MOST_BUNDLES, MOST_WAITING, Journal, JsonLines, TextLines
from models.traces import MOST_SPANS, TRACE, Trace

TOKEN = "vGKlAHRg5519qpKbUDqG0zFKOkT5pJ6QIZFhH-ixyas"


def record(message: str, *args: Any, error: bool = False) -> logging.LogRecord:
    exc_info = sys.exc_info() if error else None
    return logging.LogRecord("plaza.test", logging.ERROR, "file.py", 1, message, args, exc_info)


def test_a_record_is_one_object_with_its_request_and_without_secrets() -> None:
    trace = Trace("0123456789abcdef", "front")
    trace.user_id = 7
    token = TRACE.set(trace)
    try:
        raise ValueError(f"Duplicate entry 'alice@example.org'\n{TOKEN}")
    except ValueError:
        text = JsonLines().format(record("from %s", "mysql://plaza:geheim@db/plaza", error=True))
        for_people = TextLines("%(levelname)s %(message)s").format(record("bob@example.org"))
    finally:
        TRACE.reset(token)

    line = json.loads(text)
    assert "\n" not in text
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "plaza.test", "from mysql://<secret>@db/plaza")
    assert (line["request"], line["route"], line["user"]) == ("0123456789abcdef", "front", 7)
    assert "ValueError: Duplicate entry '<mail>'" in line["exception"]
    assert TOKEN not in text
    assert for_people == "ERROR <mail>"


def test_a_request_keeps_so_many_spans_and_counts_the_rest() -> None:
    trace = Trace("0123456789abcdef", "front")
    for _ in range(MOST_SPANS + 5):
        trace.add("sql", "SELECT 1", 0.0)

    assert (len(trace.spans), trace.unkept) == (MOST_SPANS, 5)


@contextmanager
def pipe() -> Iterator[tuple[Journal, int]]:
    """A journal into a pipe as Supervisor's, and its end to read from."""
    reader, writer = os.pipe()
    with open(writer, "wb", buffering=0) as stream:
        yield Journal(stream), reader


async def test_who_does_not_read_holds_up_nobody_and_is_told_how_much_was_lost() -> None:
    trace = Trace("0123456789abcdef", "front")
    with pipe() as (journal, reader):
        began = asyncio.get_running_loop().time()
        for _ in range(MOST_WAITING * MOST_BUNDLES * 2):
            journal.request("GET", "/", 200, 0.01, 1000, trace)
        assert asyncio.get_running_loop().time() - began < 5.0

        said = bytearray()

        def read() -> None:
            while b"were lost" not in said and (data := os.read(reader, 65536)):
                said.extend(data)

        reading = asyncio.create_task(asyncio.to_thread(read))
        while not reading.done():
            journal.request("GET", "/", 200, 0.01, 1000, trace)
            await asyncio.sleep(0.001)
        os.close(reader)

    lines = said.decode().splitlines()
    kept = [json.loads(line) for line in lines[:-1]]
    assert MOST_WAITING * MOST_BUNDLES <= len(kept) <= MOST_WAITING * MOST_BUNDLES * 2
    assert all(line["route"] == "front" for line in kept if "route" in line)


async def test_who_has_gone_away_is_no_error() -> None:
    with pipe() as (journal, reader):
        os.close(reader)
        journal.request("GET", "/", 200, 0.01, 1000, None)
        journal.flush()
        journal.request("GET", "/", 200, 0.01, 1000, None)
        journal.flush()


async def test_lines_are_written_soon_though_few() -> None:
    with pipe() as (journal, reader):
        journal.request("GET", '/"', 404, 0.01, 1000, None)
        said = await asyncio.to_thread(os.read, reader, 65536)
        os.close(reader)

    assert json.loads(said)["path"] == '/"'
