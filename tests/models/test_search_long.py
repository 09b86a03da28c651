"""Search in a crowd of posts; only with `--long`. PLAZA_MANY_POSTS says how many (1,000,000 take twenty minutes to load)."""

import os
from pathlib import Path

import pytest

from settings import Settings
from tests.harness.site import free_port
from tests.models.many_posts import load
from tests.models.measure_search import measure


@pytest.mark.long
def test_a_page_of_search_takes_less_than_50_ms(tmp_path: Path) -> None:
    count = int(os.environ.get("PLAZA_MANY_POSTS", "20000"))
    settings = Settings(var=tmp_path / "var", port=free_port())

    load(settings, count)

    assert measure(settings, count, 512) < 50
