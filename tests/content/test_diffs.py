"""What two texts differ in, shown so that it can be read, and found in bounded time."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.diffs import CONTEXT, Line, difference


def told(lines: list[Line]) -> list[str]:
    """`-a [b]`: a removed line whose b was changed."""
    signs = {"same": " ", "removed": "-", "added": "+", "gap": "…"}
    return [
        signs[line.kind] + "".join(f"[{part.text}]" if part.changed else part.text for part in line.parts)
        + (str(line.skipped) if line.skipped else "")
        for line in lines
    ]  # fmt: skip


def test_a_changed_word_is_marked_in_its_line() -> None:
    assert told(difference("The quick fox runs.", "The slow fox runs fast.")) == [
        "-The [quick] fox runs.",
        "+The [slow] fox runs[ fast].",
    ]


def test_a_chinese_word_is_one_sign() -> None:
    assert told(difference("分布式事务的模式有三种", "分布式事务的模式有四种")) == [
        "-分布式事务的模式有[三]种",
        "+分布式事务的模式有[四]种",
    ]


def test_lines_with_little_in_common_are_shown_whole() -> None:
    assert told(difference("one two three", "alpha beta")) == ["-one two three", "+alpha beta"]


def test_what_is_far_from_a_change_is_folded() -> None:
    old = "\n".join(f"line {n}" for n in range(30))

    lines = difference(old, old.replace("line 15", "a new line"))

    assert [line.kind for line in lines] == [
        "gap", *["same"] * CONTEXT, "removed", "added", *["same"] * CONTEXT, "gap",
    ]  # fmt: skip
    assert sum(line.skipped for line in lines) == 29 - 2 * CONTEXT


def test_equal_texts_have_no_difference() -> None:
    assert difference("a\nb", "a\nb") == []


@given(
    st.lists(st.sampled_from(["a", "b b", "c c c", "", "好"]), max_size=12),
    st.lists(st.sampled_from(["a", "b b", "c d c", ""]), max_size=12),
)
def test_both_texts_can_be_read_out_of_it(old: list[str], new: list[str]) -> None:
    lines = difference("\n".join(old), "\n".join(new))

    def read(kind: str) -> list[str]:
        return ["".join(part.text for part in line.parts) for line in lines if line.kind in ("same", kind)]

    if not any(line.kind == "gap" for line in lines) and lines:
        assert read("removed") == "\n".join(old).splitlines()
        assert read("added") == "\n".join(new).splitlines()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["a"] * 3000, ["a", "b"] * 1500),
        ([random.Random(1).choice("abc") * 3 for _ in range(2900)], [random.Random(2).choice("abc") * 3 for _ in range(2900)]),
        ([str(n) for n in range(60_000)], [str(2 * n) for n in range(60_000)]),
        (["x y " * 700], ["y x " * 700]),
        (["x y " * 300] * 400, ["y x " * 300] * 400),
        ([""] * 100_000, ["a"] * 100_000),
    ],
)  # fmt: skip
def test_hostile_texts_take_bounded_time(old: list[str], new: list[str]) -> None:
    began = time.process_time()

    difference("\n".join(old), "\n".join(new))

    assert time.process_time() - began < 5
