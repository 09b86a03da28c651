"""Which requests are made before a run begins."""

import pytest

from replay import drafts
from replay.drafts import Draft, Drafts
from replay.records import Request
from tests.replay.going import target_of
from tests.replay.recordings import planned, request


def test_those_that_go_first_are_made_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of the first sessions, nor those that are not sent at all."""
    made, make = list[int](), Draft.__init__

    def noted(draft: Draft, recorded: Request, *told: object, **more: object) -> None:
        made.append(recorded.i)
        make(draft, recorded, *told, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Draft, "__init__", noted)
    monkeypatch.setattr(drafts, "AHEAD", 3)
    first = [request(0, 0, session="a"), request(1, 1, "/w", session="b", method="POST"), request(2, 2, session="b")]
    plan = planned(*first, request(3, 500, session="c"), request(4, 900, session="a"))
    Drafts(plan, target_of("http://127.0.0.1:9"), "run", reads_all=False)

    assert made == [0, 2, 3]
