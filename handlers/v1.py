"""The base of all of `/api/v1`: typed input, JSON out, errors as problems (RFC 9457), entity tags, true statuses.

A resource is a class, and each of its methods says by `call` what it takes and gives, which openapi.json tells:

    class Scores(V1):
        @call(takes=NewScore, gives=ScoreShape, status=201, scope=SCORES)
        async def post(self, slug: str) -> None:
            \"\"\"Send a score.\"\"\"
            made = await self.app.models.scores.add(slug, self.sent(NewScore).score, by=self.member(LOGIN))
            self.answer(shape(made), location=self.reverse_url("score", slug, made.id))
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from tornado.web import HTTPError

from handlers import media
from handlers.base import Base
from handlers.inputs import Input
from handlers.statuses import HEADINGS, Told
from models import errors
from models.errors import NotFound

Given = TypeVar("Given", bound=Input)
Method = TypeVar("Method", bound=Callable[..., Any])

_TAG = re.compile(r'\*|"[^"]*"')


@dataclass(frozen=True, slots=True)
class Call:
    """What a method takes as its query (`asks`) and body (`takes`), the type it gives (None for no body), and under which status.

    `scope`: of the token it needs (models/tokens.py, or a word of handlers/bearer.py); None for what its method needs anyway.
    """

    asks: type[Input] | None = None
    takes: type[Input] | None = None
    gives: Any = None
    status: int = 200
    scope: str | None = None


def call(
    *, asks: type[Input] | None = None, takes: type[Input] | None = None, gives: Any = None, status: int = 200,
    scope: str | None = None,
) -> Callable[[Method], Method]:  # fmt: skip
    """Declare a method of a resource; its docstring's first line is the summary that programmers read."""

    def declare(method: Method) -> Method:
        method.__dict__["call"] = Call(asks, takes, gives, status, scope)
        return method

    return declare


class Output(BaseModel):
    """What is answered. Its fields stand in openapi.json, with their descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class V1(Base):
    """`bodies`: the media types that this address takes."""

    answers_json = True
    bodies: ClassVar[tuple[str, ...]] = (media.JSON, media.FORM, media.MULTIPART)

    def __init_subclass__(cls) -> None:
        """What GET asks for is all that a query can say."""
        super().__init_subclass__()
        told: Call = getattr(cls.get, "call", Call())
        cls.arguments = tuple(told.asks.model_fields) if told.asks else ()

    async def prepare(self) -> None:
        """As everywhere; and nothing is done for who would not understand the answer, or sends what is not understood."""
        await super().prepare()
        if not media.accepts_json(self.request.headers.get("Accept", "")):
            raise HTTPError(406, "not acceptable")
        if self.request.body and self.declared.takes and media.body_type(self.request) not in self.bodies:
            raise HTTPError(415, "media type")

    @property
    def declared(self) -> Call:
        """What the method that is asked for has said of itself."""
        method = getattr(self, "get" if self.request.method == "HEAD" else str(self.request.method).lower())
        found: Call = getattr(method, "call", Call())
        return found

    def scope(self) -> str:
        own = self.declared.scope
        return super().scope() if own is None else own

    def asked(self, model: type[Given]) -> Given:
        """The query. Raises Invalid."""
        return model.of_form({name: self.get_query_arguments(name) for name in self.request.query_arguments})

    def sent(self, model: type[Given]) -> Given:
        """The body: a JSON object, or a form. Raises Unreadable, Invalid."""
        if media.body_type(self.request) in (media.FORM, media.MULTIPART):
            return model.of_form({name: self.get_body_arguments(name) for name in self.request.body_arguments})
        return model.of_json(self.request.body)

    def answer(self, value: Any = None, status: int | None = None, *, location: str = "") -> None:
        """End the request with `value`: an Output, a list of them, plain data. The status is the declared one unless given."""
        self.set_status(status or self.declared.status)
        if location:
            self.set_header("Location", location)
        if value is None:
            self.finish()
            return
        body = to_json(value)
        self.set_header("Content-Type", f"{media.JSON}; charset=UTF-8")
        if self.request.method in ("PUT", "PATCH"):  # what changed can be changed again without another GET
            self.set_header("Etag", entity_tag(body))
        self.finish(body)

    def match(self, current: Any) -> None:
        """The asker has seen what GET answers now (`current`). Raises HTTPError 428 without If-Match, 412 when that is old.

        Weak tags count: Nginx makes tags weak when it compresses.
        """
        told = self.request.headers.get("If-Match")
        if told is None:
            raise HTTPError(428, "no If-Match")
        if not {"*", entity_tag(to_json(current))} & set(_TAG.findall(told)):
            raise HTTPError(412, "If-Match")

    def refusal(self, error: BaseException | None, status: int) -> Told:
        told = super().refusal(error, status)
        return told._replace(status=412) if isinstance(error, errors.Stale) else told

    def tell(self, told: Told) -> None:
        tell_problem(self, told)


class NoSuchResource(V1):
    """Any other address below /api/v1/."""

    stored = False

    async def get(self) -> None:
        raise NotFound(self.request.path)

    post = put = patch = delete = get


def tell_problem(handler: Base, told: Told) -> None:
    """End the request with what went wrong, as RFC 9457 has it."""
    title = HEADINGS.get(told.status, "Not accepted" if told.status < 500 else "Our mistake")
    problem = {
        "type": "about:blank",
        "title": handler.translate(title),
        "status": told.status,
        "detail": handler.translate(told.message) if told.message else "",
    }
    if told.fields:
        problem["errors"] = {name: handler.translate(text) for name, text in told.fields.items()}
    handler.set_header("Content-Type", f"{media.PROBLEM}; charset=UTF-8")
    handler.finish(to_json(problem))


def entity_tag(body: bytes) -> str:
    """The ETag of an answer, as Tornado makes it."""
    return f'"{sha1(body, usedforsecurity=False).hexdigest()}"'
