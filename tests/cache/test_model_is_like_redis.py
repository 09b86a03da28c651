"""What the model says of the scripts is what they do: the same random questions to both, the same answers from both."""

from itertools import count
from random import Random
from typing import Any

import pytest

from cache import link, records
from commands.proving import model_scripts as model
from commands.proving.model_flaws import Flaw
from commands.proving.model_scripts import SISTER, blocks
from commands.proving.model_world import Generation, Lease, Mark, Value, World
from tests.cache.asking import LIST, Desk, fresh, record

pytest_plugins = ["tests.cache.stages", "tests.cache.askers"]

STEPS = 120  # random questions to each pair
ROWS, LISTS, SCOPES = ("post",), ("list",), ("list/scope",)


class Both:
    """A Redis, and the world of the model. Tokens and writers bear the same names in both; generations are matched."""

    def __init__(self, desk: Desk, random: Random, flaw: Flaw | None = None) -> None:
        self.desk, self.random, self.count = desk, random, count()
        self.world = World("", {key: lambda state: state for key in (*ROWS, *LISTS)}, flaw)
        self.world.redis = {"post": None, f"post{SISTER}": None, "list": None, "list/scope": None}
        self.tokens: list[bytes] = []
        self.leases: list[tuple[bytes, tuple[bytes, ...], tuple[str | int, ...]]] = []  # of the list
        self.writers: list[tuple[bytes, list[str], list[str]]] = []
        self.generations: dict[str | int, bytes] = {}

    async def acquire(self) -> None:
        again = bool(self.tokens) and self.random.random() < 0.3
        token = self.random.choice(self.tokens[-4:]) if again else fresh()
        self.tokens.append(token)
        there = model.acquire(self.world, "post", token.hex())
        granted = await self.desk.acquire("post", token)
        assert granted.answer == (there if isinstance(there, str) else "value")

    async def nominate(self) -> None:
        if self.world.hit("post") is None:
            return
        token = fresh()
        self.tokens.append(token)
        there = model.nominate(self.world, "post", token.hex())
        granted = await self.desk.acquire("post", token, nominated=True)
        assert granted.answer == ("refresh" if there == "refresh" else "value")

    async def fill(self) -> None:
        if self.tokens:
            token, content = self.random.choice(self.tokens[-4:]), f"content {next(self.count)}"
            there = model.fill(self.world, "post", token.hex(), Value(content))
            assert (await self.desk.fill("post", record(content), token) == "stored") == (there == "stored")

    async def acquire_list(self) -> None:
        token = fresh()
        there = model.acquire(self.world, "list", token.hex())
        granted = await self.desk.acquire_list("list", token, "list/scope")
        assert granted.answer == (there if isinstance(there, str) else "value")
        if there == "lease":
            self.leases.append((token, granted.stamps, self.world.stamps("list")))

    async def fill_list(self) -> None:
        if self.leases:
            token, stamps, numbers = self.random.choice(self.leases[-3:])
            content = f"items {next(self.count)}"
            there = model.fill(self.world, "list", token.hex(), Value(content, numbers))
            data = record(content, version=0, schema=LIST, stamps=stamps)
            assert (await self.desk.fill("list", data, token, "list/scope") == "stored") == (there == "stored")

    async def begin(self) -> None:
        names = self.random.choice(((ROWS, SCOPES), (ROWS, ()), ((), SCOPES)))
        rows, scopes = list(names[0]), list(names[1])
        dies = self.random.random() < 0.4  # its deadline passes at once
        writer = await self.desk.begin(rows, scopes, **({"hold": 1} if dies else {}))
        model.begin(self.world, writer.hex(), rows, scopes)
        if dies:
            await self.desk.overdue(writer, *rows, *scopes)
            self.world.overdue |= {writer.hex()}
        self.writers.append((writer, rows, scopes))

    async def end(self) -> None:
        if self.writers:
            writer, rows, scopes = self.random.choice(self.writers[-4:])
            model.end(self.world, writer.hex(), rows, scopes, f"ends {next(self.count)}")
            await self.desk.end(writer, rows, scopes)

    async def lose(self) -> None:
        key = self.random.choice(("post", "list", "list/scope"))
        self.world.put(key, None)
        await self.desk.redis.delete(self.desk.link.full(key))

    async def agree(self) -> None:
        for key, there in self.world.redis.items():
            data = await self.desk.get(key.replace(SISTER, link.SISTER))
            if isinstance(there, Mark) and not blocks(self.world, there):
                assert records.kind(data or b"") in (b"", b"T")
            else:
                self.same(data, there)

    def same(self, data: bytes | None, there: Any) -> None:
        overdue = self.world.overdue
        match there:
            case None:
                assert data is None
            case Lease(token):
                assert data == b"L" + bytes.fromhex(token)
            case Value(content, numbers):
                assert data is not None
                assert str(content).encode() in data
                assert (
                    tuple(self.generations[number] for number in numbers)
                    == records.decode_list(data[:1] + LIST.to_bytes(2, "big") + data[3:])[0]
                )
            case Mark(writers):
                assert pending(data, 1) >= writers - overdue
            case Generation(number, writers):
                assert data is not None
                assert self.generations.setdefault(number, data[1:9]) == data[1:9]
                assert pending(data, 9) - overdue == writers - overdue


def pending(data: bytes | None, at: int) -> set[str]:
    assert data is not None
    return {data[start : start + 16].hex() for start in range(at, len(data) - 23, 24)}


async def ask_both(desk: Desk, seed: int, flaw: Flaw | None = None, steps: int = STEPS) -> None:
    """AssertionError as soon as they differ."""
    random = Random(seed)
    both = Both(desk, random, flaw)
    questions = (
        both.acquire, both.acquire, both.fill, both.fill, both.nominate, both.acquire_list, both.acquire_list,
        both.fill_list, both.fill_list, both.begin, both.end, both.end, both.lose,
    )  # fmt: skip

    for _ in range(steps):
        await random.choice(questions)()

        await both.agree()


@pytest.mark.parametrize("seed", range(12))
async def test_the_scripts_and_their_model_answer_alike(desk: Desk, seed: int) -> None:
    await ask_both(desk, seed)


@pytest.mark.parametrize(
    "flaw",
    [
        Flaw.SINGLE_FLAG, Flaw.END_KEEPS_VALUES, Flaw.NO_PENDING_WRITERS, Flaw.END_KEEPS_GENERATIONS,
        Flaw.NO_GENERATION_COMPARE, Flaw.NO_WRITER_DEADLINE,
    ],
)  # fmt: skip
async def test_a_model_of_other_scripts_would_be_told_apart(desk: Desk, flaw: Flaw) -> None:
    with pytest.raises(AssertionError):
        await ask_both(desk, 1, flaw, steps=20 * STEPS)
