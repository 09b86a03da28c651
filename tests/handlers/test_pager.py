"""The way through a long list: its first and last page, and those beside the one that is shown."""

import re

import pytest

from handlers.views import Views
from models.base import Page
from settings import Settings


@pytest.mark.parametrize(
    ("index", "count", "numbers"),
    [
        (1, 2, "1* 2"),
        (1, 5, "1* 2 … 5"),
        (2, 5, "1 2* 3 … 5"),
        (3, 5, "1 2 3* 4 5"),
        (4, 9, "1 … 3 4* 5 … 9"),
        (9, 9, "1 … 8 9*"),
        (5, 10**9, "1 … 4 5* 6 … 1000000000"),  # a walk through all of them would not end today
    ],
)
def test_the_numbers_of_the_pages(settings: Settings, index: int, count: int, numbers: str) -> None:
    views = Views(settings, lambda name: name)
    pager = views._environments["en"].get_template("_pager.html").module.pager  # type: ignore[attr-defined]

    html = pager(Page((), index, count, 10 * count), lambda n: f"/page/{n}", "all")

    listed = re.search(r"<ol.*?</ol>", html, re.DOTALL)
    assert listed
    found = re.findall(r'class="gap"|href="/page/(\d+)" aria-label="[^"]*"( aria-current)?', listed[0])
    assert " ".join(f"{n}{'*' if now else ''}" if n else "…" for n, now in found) == numbers
