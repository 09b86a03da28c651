"""Short tokens: of the site, not in a row, and each id by one spelling alone."""

import random
import string

import pytest

from models import Models
from models.errors import NotFound


async def test_tokens_are_of_the_site_and_no_other_spelling_is_one(models: Models) -> None:
    tokens = [models.short.encode(id) for id in range(1, 200)]

    assert len(set(tokens)) == 199
    assert min(map(len, tokens)) == 6
    assert [models.short.decode(token) for token in tokens] == list(range(1, 200))
    assert len({token[:3] for token in tokens}) > 50  # not in a row
    signs = string.ascii_letters + string.digits
    for no in ("", "x", "../etc", "é" * 6, "a" * 10_000, *("".join(random.choices(signs, k=20)) for _ in range(200))):
        with pytest.raises(NotFound):
            models.short.decode(no)
    for sign in signs:  # what fills a short token up to its length means nothing, and so must be as it was
        if (other := tokens[0][:-1] + sign) != tokens[0]:
            assert decoded(models, other) != 1


def decoded(models: Models, token: str) -> int | None:
    try:
        return models.short.decode(token)
    except NotFound:
        return None
