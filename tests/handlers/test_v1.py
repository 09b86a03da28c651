"""What every resource of /api/v1 does alike, tried on one that is made for it."""

from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from handlers.inputs import Input
from handlers.v1 import V1, Output, call
from models.errors import Stale, Taken
from server import Running
from tests.harness.browser import Answer, Browser

FORM = "application/x-www-form-urlencoded"


class Wish(Input):
    name: str
    score: Decimal = Decimal(0)
    count: int = 0
    kind: Literal["a", "b"] = "a"
    parts: list[str] = []


class Thing(Output):
    name: str
    score: float


class Shelf(V1):
    """One thing that everybody may change."""

    thing: ClassVar = {"thing": Thing(name="first", score=1.5)}

    @call(gives=Thing)
    async def get(self) -> None:
        """The thing."""
        self.answer(self.thing["thing"])

    @call(takes=Wish, gives=Thing, status=201)
    async def post(self) -> None:
        wish = self.sent(Wish)
        if wish.name == "taken":
            raise Taken({"name": "There is a role of this name."})
        if wish.name == "stale":
            raise Stale(2)
        self.answer({"name": wish.name, "score": float(wish.score), "parts": wish.parts}, location="/shelf/1")

    @call(takes=Wish, gives=Thing)
    async def patch(self) -> None:
        wish = self.sent(Wish)
        self.match(self.thing["thing"])
        self.thing["thing"] = Thing(name=wish.name, score=float(wish.score))
        self.answer(self.thing["thing"])


@pytest.fixture
def shelf(site: Running) -> str:
    """Where it stands."""
    Shelf.thing["thing"] = Thing(name="first", score=1.5)
    site.application.add_handlers(".*", [(r"/api/v1/shelf", Shelf, {"app": site.application.app})])
    return "/api/v1/shelf"


def problem(answer: Answer) -> dict[str, Any]:
    """What is wrong; in the one shape that errors have."""
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    told: dict[str, Any] = answer.json()
    assert set(told) - {"errors"} == {"type", "title", "status", "detail"}
    assert told["status"] == answer.status
    return told


async def test_an_answer_has_a_tag_by_which_it_is_not_sent_again(shelf: str, visitor: Browser) -> None:
    first = await visitor.get(shelf)
    again = await visitor.get(shelf, if_none_match=first.headers["Etag"])

    assert first.json() == {"name": "first", "score": 1.5}
    assert (again.status, again.body) == (304, b"")


async def test_a_change_names_the_version_that_it_changes(shelf: str, visitor: Browser) -> None:
    async def change(name: str, **headers: str) -> Answer:
        body = f'{{"name": "{name}"}}'.encode()
        return await visitor.request("PATCH", shelf, body=body, headers={"Content-Type": "application/json", **headers})

    tag = (await visitor.get(shelf)).headers["Etag"]

    assert problem(await change("x"))["status"] == 428
    assert problem(await change("x", **{"If-Match": '"another"'}))["status"] == 412
    changed = await change("second", **{"If-Match": f'"another", W/{tag}'})
    assert (changed.status, changed.json()["name"]) == (200, "second")
    assert problem(await change("third", **{"If-Match": tag}))["status"] == 412
    assert (await change("third", **{"If-Match": changed.headers["Etag"]})).status == 200
    assert (await change("fourth", **{"If-Match": "*"})).status == 200


async def test_what_is_made_is_at_the_address_that_is_told(shelf: str, visitor: Browser) -> None:
    by_json = await visitor.post_json(shelf, {"name": "x", "score": 12.5, "parts": ["p", "q"]})
    by_form = await visitor.request(
        "POST", shelf, body=b"name=x&score=12.5&parts=p&parts=q&kind=", headers={"Content-Type": FORM}
    )

    for answer in (by_json, by_form):
        assert (answer.status, answer.headers["Location"]) == (201, "/shelf/1")
        assert answer.json() == {"name": "x", "score": 12.5, "parts": ["p", "q"]}


@pytest.mark.parametrize(
    ("body", "status", "errors"),
    [
        ("{", 400, None), ("[1]", 400, None), ("null", 400, None), ('"\\ud83d"', 400, None), ('{"name": "\\ud83d"}', 400, None),
        ("", 422, {"name"}), ("{}", 422, {"name"}), ('{"name": 1}', 422, {"name"}), ('{"name": "x", "nome": 1}', 422, {"nome"}),
        ('{"name": null, "score": "much", "kind": "c", "parts": "p"}', 422, {"name", "score", "kind", "parts"}),
        ('{"name": "x", "score": NaN}', 422, {"score"}), ('{"name": "x", "parts": ["p", 1]}', 422, {"parts.1"}),
        ('{"name": "x", "count": "1"}', 422, {"count"}), ('{"name": "x", "count": 1.5}', 422, {"count"}),
        ('{"name": "taken"}', 409, {"name"}), ('{"name": "stale"}', 412, None),
    ],
)  # fmt: skip
async def test_wrong_input_is_told_all_at_once(
    shelf: str, visitor: Browser, body: str, status: int, errors: set[str] | None
) -> None:
    answer = await visitor.request(
        "POST", shelf, body=body.encode(), headers={"Content-Type": "application/json", "Accept-Language": "zh"}
    )

    told = problem(answer)
    assert answer.status == status
    assert set(told.get("errors", ())) == (errors or set())
    assert all("一" <= text[0] <= "鿿" for text in (told["title"], told["detail"], *told.get("errors", {}).values()))


async def test_a_body_of_another_kind_is_415(shelf: str, visitor: Browser) -> None:
    for kind in ("text/plain", "application/xml", ""):
        answer = await visitor.request("POST", shelf, body=b"name=x", headers={"Content-Type": kind})
        assert problem(answer)["status"] == 415


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200), ("*/*", 200), ("text/html, application/*;q=0.1", 200), ("text/html", 406),
        ("application/json;q=0, */*", 406), ("text/html;q=x,*/*;q=x", 200), ("APPLICATION/JSON; charset=utf-8", 200),
        ("*/*;q=0.0", 406),
    ],
)  # fmt: skip
async def test_who_takes_no_json_gets_406_even_when_the_answer_is_kept(
    visitor: Browser, accept: str, status: int
) -> None:
    for _ in range(3):
        assert (await visitor.get("/api/v1/")).status == 200
    answer = await visitor.get("/api/v1/", accept=accept)

    assert answer.status == status
    assert status == 200 or problem(answer)["status"] == 406


async def test_a_method_that_is_not_there_is_a_problem_with_those_that_are(shelf: str, visitor: Browser) -> None:
    answer = await visitor.request("DELETE", shelf)

    assert problem(answer)["status"] == 405
    assert answer.headers["Allow"] == "HEAD, GET, POST, PATCH"
    assert problem(await visitor.get("/api/v1/nothing"))["status"] == 404


async def test_nobody_is_told_how_one_proves_who_one_is(visitor: Browser) -> None:
    answer = await visitor.get("/api/v1/me/tokens")

    assert problem(answer)["status"] == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Plaza"'
