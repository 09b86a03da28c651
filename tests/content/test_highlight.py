"""Program text that is more work than it looks."""

import time

import pytest

from content.highlight import highlight


@pytest.mark.parametrize(("name", "source"), [("c", "\n" * 59_000), ("make", " " * 59_000), ("console", "-" * 59_000)])
def test_code_that_is_too_much_work_to_colour_stays_plain(name: str, source: str) -> None:
    began = time.thread_time()

    assert highlight(f"<\n{source}", name) == f"&lt;\n{source}"
    assert time.thread_time() - began < 1
