"""What the documents say is so: their links lead somewhere, the tests they name are there, and their example runs."""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from models import Models
from tests.harness.counting import Counted
from tests.harness.people import People

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
CODE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
EXAMPLE = '''"""The example of docs/cache.md."""

from dataclasses import dataclass, replace
from typing import ClassVar

from cache import Index, Key, List, Scope, Slot
from models.asking import answers
from models.base import Table
from models.errors import Forbidden
from models.retrying import retried
from models.roles import LOGIN, require
from models.users import User
from tests.harness.counting import Counted
from tests.harness.people import People

'''


def anchors(text: str) -> set[str]:
    """As they are made of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", document.read_text(), flags=re.M | re.S)
    wrong = []
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(link)

    assert wrong == []


def test_every_race_is_in_the_table_with_a_test_that_is_there() -> None:
    rows = re.findall(
        r"^\| R(\d+) .*\| `(\w+\.py)`: `(\w+)` \|$", (ROOT / "docs" / "cache-protocol.md").read_text(), re.M
    )

    assert [int(number) for number, _, _ in rows] == list(range(1, 31))
    for number, file, test in rows:
        assert test.startswith(f"test_r{int(number):02}_")
        assert f"async def {test}(" in (ROOT / "tests" / "cache" / f"test_races_{file}").read_text(), test


@pytest.fixture
def example(tmp_path: Path) -> Any:
    """The blocks of Python in docs/cache.md, as one module."""
    path = tmp_path / "bookmarks.py"
    path.write_text(EXAMPLE + "\n".join(CODE.findall((ROOT / "docs" / "cache.md").read_text())))
    spec = importlib.util.spec_from_file_location("bookmarks_of_the_documents", path)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


async def test_the_example_of_a_cached_query_does_what_it_says(
    models: Models, other_models: Models, people: People, counted: Counted, example: Any
) -> None:
    async with models.db.connection() as connection:
        await connection.execute(
            "CREATE TABLE bookmarks (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, "
            "post_id BIGINT NOT NULL, version BIGINT NOT NULL DEFAULT 1, UNIQUE (user_id, post_id)) ENGINE=InnoDB"
        )
    one, other = (example.Bookmarks(each.db, each.cache) for each in (models, other_models))

    await example.test_a_bookmark_that_moves_leaves_no_old_answer(one, other, people, counted)
