"""Pages in Nginx's store: what is stored, under which key, for whom, and how it goes out again. No worker is there to help."""

import pytest

from tests.handlers.storage import ZIPPED, Reader
from tests.harness.site import Site


@pytest.fixture
def reader(whole_site: Site) -> Reader:
    return Reader(whole_site)


def test_the_second_reader_gets_what_the_first_had_made(reader: Reader) -> None:
    first, second = reader.get("/about"), reader.get("/about")

    assert (first.status, first.cache, second.status, second.cache) == (200, "MISS", 200, "HIT")
    assert first.text == second.text
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
