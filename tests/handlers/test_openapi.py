"""What /api/v1 says of itself is so: each declared method is there, and answers what it says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from handlers.openapi import METHODS, Operation, operations
from handlers.v1 import V1, NoSuchResource
from handlers.v1_routes import ROUTES
from server import Running
from tests.handlers.conftest import Town
from tests.handlers.table import TABLE
from tests.handlers.test_permissions import filled
from tests.harness.browser import Browser
from tests.harness.people import People


@pytest.fixture
def declared(site: Running) -> tuple[Operation, ...]:
    return operations(site.application)


def test_every_method_of_every_resource_is_declared_with_a_line_about_it(declared: tuple[Operation, ...]) -> None:
    has = {(one.name.partition("_")[2], one.method) for one in declared}
    wanted = {
        (name, method)
        for _, handler, name in ROUTES
        if issubclass(handler, V1) and handler is not NoSuchResource
        for method in METHODS
        if getattr(handler, method.lower()) is not getattr(V1, method.lower())
    }

    assert has == wanted
    for one in declared:
        assert one.words.partition("\n")[0].endswith("."), one.name
        assert (one.call.gives is None) == (one.call.status == 204), one.name
        assert one.call.takes is None or one.method in ("POST", "PUT", "PATCH"), one.name


async def test_every_answer_is_of_the_type_that_is_declared(
    declared: tuple[Operation, ...], town: Town, people: People, ada: Browser, visitor: Browser
) -> None:
    """Asked by the addresses of the permission table."""
    tried = set()
    for browser, at in ((visitor, 0), (ada, 4)):
        for line in TABLE:
            one = next((o for o in declared if o.name == f"{line.method.lower()}_{line.name}"), None)
            if one is None or one.call.gives is None or line.statuses[at] >= 300 or line.method not in ("GET", "POST"):
                continue
            path = filled(line.path, town, people)
            answer = await (browser.get(path) if line.method == "GET" else browser.post(path, line.form))
            assert answer.status in (one.call.status, line.statuses[at]), path
            TypeAdapter(one.call.gives).validate_json(answer.body)
            tried.add(one.name)

    assert tried >= {"get_me", "get_v1", "get_v1_openapi", "get_v1_tokens", "post_v1_tokens", "get_v1_sessions"}


async def test_the_description_is_whole(declared: tuple[Operation, ...], visitor: Browser) -> None:
    answer = await visitor.get("/api/v1/openapi.json")
    told = answer.json()

    assert told["openapi"] == "3.1.0"
    assert {(path, method.upper()) for path, methods in told["paths"].items() for method in methods} == {
        (one.path, one.method) for one in declared
    }
    assert answer.headers["Content-Language"] == "en"
    for ref in references(told):
        found: Any = told
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]  # or KeyError: it leads nowhere


async def test_a_resource_says_what_it_takes_gives_and_needs(visitor: Browser) -> None:
    told = (await visitor.get("/api/v1/openapi.json")).json()
    one, make = told["paths"]["/api/v1/me/tokens/{id}"], told["paths"]["/api/v1/me/tokens"]["post"]
    schemas = told["components"]["schemas"]

    assert one["delete"]["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert set(one["delete"]["responses"]) == {"204", "default"}
    assert make["security"] == [{"session": []}]
    assert make["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewToken"}
    assert schemas["NewToken"]["required"] == ["name", "scopes"]
    assert make["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/MadeToken"
    }
    assert "token" in schemas["MadeToken"]["required"]
    me = told["paths"]["/api/v1/me"]["get"]
    assert me["security"] == [{"session": []}, {"token": ["read"]}]
    assert [(p["name"], p["in"], p["required"]) for p in me["parameters"]] == [("on", "query", False)]
    assert told["paths"]["/api/v1/"]["get"]["security"] == []


async def test_the_list_of_resources_has_links_and_leads_to_the_description(visitor: Browser) -> None:
    answer = await visitor.get("/api/v1/")
    found = {one["url"]: one["methods"] for one in answer.json()}

    assert answer.headers["Link"] == '</api/v1/openapi.json>; rel="service-desc"'
    assert found["/api/v1/me/tokens"] == {
        "GET": "Your tokens, the newest first.", "POST": "Make a token, which is told this once.",
    }  # fmt: skip
    assert found["/api/v1/me/tokens/{id}"]["DELETE"].startswith("Revoke a token")


def references(value: Any) -> list[str]:
    """Every $ref inside."""
    found: list[str] = []

    def keep(pairs: dict[str, Any]) -> dict[str, Any]:
        found.extend(text for name, text in pairs.items() if name == "$ref")
        return pairs

    json.loads(json.dumps(value), object_hook=keep)
    assert found
    return found


async def test_it_is_the_same_for_everybody_and_kept(browse: Callable[[], Browser], ada: Browser) -> None:
    first = await browse().get("/api/v1/openapi.json")

    assert first.headers["Cache-Control"].startswith("public")
    assert (await ada.get("/api/v1/openapi.json")).body == first.body
