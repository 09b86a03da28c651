"""What `/api/v1` has, told to programs: the list of resources, and openapi.json, both made of what the handlers declare."""

import inspect
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import JsonValue, TypeAdapter
from tornado.web import Application

from handlers import bearer, media
from handlers.v1 import V1, Call, Output, call
from models.tokens import SCOPES

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SCHEMAS = "#/components/schemas/{model}"
_PROBLEM = {"$ref": "#/components/responses/Problem"}


class Operation(NamedTuple):
    """A method of a resource. `path` has the names of its `parameters` in braces; `words` are its docstring's."""

    name: str
    path: str
    parameters: tuple[str, ...]
    method: str
    call: Call
    scope: str
    bodies: tuple[str, ...]
    words: str


@lru_cache(4)
def operations(application: Application) -> tuple[Operation, ...]:
    """All that is declared, in the order of the routes."""
    return tuple(_operations(application))


def _operations(application: Application) -> Iterator[Operation]:
    for rule in application.wildcard_router.rules:
        handler: Any = rule.target
        for method in METHODS if isinstance(handler, type) and issubclass(handler, V1) else ():
            function = getattr(handler, method.lower())
            declared: Call | None = getattr(function, "call", None)
            if declared and rule.name:
                names = tuple(inspect.signature(function).parameters)[1:]
                path = unquote(application.reverse_url(rule.name, *(f"{{{name}}}" for name in names)))
                scope = bearer.needed(method, public=handler.public) if declared.scope is None else declared.scope
                words = inspect.getdoc(function) or ""
                yield Operation(
                    f"{method.lower()}_{rule.name}", path, names, method, declared, scope, handler.bodies, words
                )


class Resource(Output):
    """`url` has parameters in braces (RFC 6570); `methods` say what each does."""

    url: str
    methods: dict[str, str]


class Resources(V1):
    @call(gives=list[Resource])
    async def get(self) -> None:
        """What there is below this address."""
        found: dict[str, dict[str, str]] = {}
        for one in operations(self.application):
            found.setdefault(one.path, {})[one.method] = one.words.partition("\n")[0]
        self.set_header("Link", f'<{self.reverse_url("v1_openapi")}>; rel="service-desc"')
        self.answer([Resource(url=path, methods=methods) for path, methods in found.items()])


class OpenApi(V1):
    @call(gives=dict[str, JsonValue])
    async def get(self) -> None:
        """This description: OpenAPI 3.1."""
        about = {"title": self.site.title, "version": "1"}
        self.set_header("Content-Language", "en")
        self.answer({
            "openapi": "3.1.0", "info": about, "servers": [{"url": self.site.url}], **described(self.application),
        })  # fmt: skip


@lru_cache(4)
def described(application: Application) -> dict[str, Any]:
    """`paths` and `components` of the description."""
    found = operations(application)
    types = {
        (f"{one.name}.{side}", mode): TypeAdapter(kind)
        for one in found
        for side, mode, kind in (("takes", "validation", one.call.takes), ("gives", "serialization", one.call.gives))
        if kind is not None
    }
    schemas, shared = TypeAdapter.json_schemas(
        [(name, mode, kind) for (name, mode), kind in types.items()],  # type: ignore[misc]  # the modes are the two there are
        ref_template=_SCHEMAS,
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in found:
        takes, gives = (
            schemas.get((f"{one.name}.takes", "validation")),
            schemas.get((f"{one.name}.gives", "serialization")),
        )
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, takes, gives)
    return {"paths": paths, "components": {"schemas": {**shared.get("$defs", {}), "Problem": _SHAPE}, **_SHARED}}


def _operation(one: Operation, takes: Any, gives: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "As asked for"}
    if gives is not None:
        answer["content"] = {media.JSON: {"schema": gives}}
    told: dict[str, Any] = {
        "operationId": one.name, "summary": one.words.partition("\n")[0], "description": one.words,
        "parameters": [*map(_in_path, one.parameters), *_in_query(one.call)],
        "responses": {str(one.call.status): answer, "default": _PROBLEM}, "security": _security(one.scope),
    }  # fmt: skip
    if takes is not None:
        told["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": takes} for kind in one.bodies},
        }
    return told


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(call: Call) -> Iterator[dict[str, Any]]:
    schema = call.asks.model_json_schema() if call.asks else {}
    for name, one in schema.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": one}


def _security(scope: str) -> list[dict[str, list[str]]]:
    if scope == bearer.ANYBODY:
        return []
    return [{"session": []}] if scope == bearer.NO_TOKEN else [{"session": []}, {"token": [scope]}]


_SHAPE = {
    "type": "object",
    "description": "RFC 9457; `errors` has a sentence for each field that is wrong",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail")},
        "status": {"type": "integer"},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_SHARED = {
    "responses": {
        "Problem": {
            "description": "What is wrong, in the reader's language",
            "content": {media.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    },
    "securitySchemes": {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "plz_..., made on the account page. "
            + " ".join(f"{name}: {text}" for name, text in SCOPES.items()),
        },
        "session": {"type": "apiKey", "in": "cookie", "name": "plaza", "description": "__Host-plaza under https"},
    },
}
