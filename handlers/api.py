"""The API of the tutorial kind: JSON or form bodies in, JSON out, true statuses, one shape of errors."""

import asyncio
import json
from typing import Any, ClassVar

from tornado.web import HTTPError

from handlers.base import Base
from handlers.forms import Registration
from handlers.presenters import blog, comment, page_facts, user
from handlers.signing import NOT_ACTIVE, WRONG, Signing
from handlers.statuses import Told
from models.base import Page
from models.errors import Invalid, NotFound
from models.posts import Post
from models.roles import EDITOR, LOGIN, OPERATOR
from models.writing import Draft


class JsonAnswer(Base):
    """A handler that answers JSON, errors too: {"error": "value:invalid", "data": field, "message": words}."""

    answers_json = True

    def answer(self, value: dict[str, Any] | list[dict[str, Any]], status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def tell(self, told: Told) -> None:
        fields = {_API_NAME.get(name, name): text for name, text in told.fields.items()}
        field, message = next(iter(fields.items()), ("", told.message))
        kind = "value:invalid" if told.status in (400, 409, 413, 422, 426) else _KINDS.get(told.status, "server:error")
        errors = {name: self.translate(text) for name, text in fields.items()}
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        body = {
            "error": kind,
            "data": field,
            "message": self.translate(message),
            **({"fields": errors} if errors else {}),
        }
        self.finish(json.dumps(body, ensure_ascii=False))

    def fields(self, *names: str) -> dict[str, str]:
        """The named fields of a JSON object or a form; those not sent are empty. Raises HTTPError 400, Invalid."""
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            return {name: self.get_body_argument(name, "", strip=False) for name in names}
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            raise HTTPError(400, "not JSON") from None
        if not isinstance(body, dict):
            raise HTTPError(400, "not a JSON object")
        wrong = {name: "This must be text." for name in names if not _is_text(body.get(name, ""))}
        if wrong:
            raise Invalid(wrong)
        return {name: body.get(name, "") for name in names}

    def page_asked(self) -> int:
        """The `page` of the address, 1 when it is not given. Raises Invalid."""
        text = self.get_query_argument("page", "1")
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
            raise Invalid({"page": "A page is a whole number from 1 on."})
        return int(text)


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be stored: JSON can also spell half of a character (`"\\ud83d"`)."""
    try:
        return isinstance(value, str) and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False


_API_NAME = {
    "title": "name",
    "body": "content",
    "password": "passwd",
}  # what the models call it, and what this API does
_KINDS = {401: "user:unknown", 403: "user:forbidden", 404: "value:notfound", 405: "method:unknown", 429: "rate:limit"}


class Blogs(JsonAnswer):
    arguments: ClassVar[tuple[str, ...]] = ("page",)

    async def get(self) -> None:
        page = await self.app.models.posts.front(self.page_asked())
        self.answer({"page": page_facts(page), "blogs": await self._blogs(page)})

    async def post(self) -> None:
        """Publish at once."""
        me = self.member(EDITOR)
        new = draft(self.fields("name", "summary", "content"))
        post = await self.app.models.writing.create(new, by=me, publish=True)
        self.set_header("Location", self.reverse_url("api_blog", post.id))
        await self.answer_blog(post, new.md, status=201)

    async def _blogs(self, page: Page[Post]) -> list[dict[str, Any]]:
        models = self.app.models
        authors, found = await asyncio.gather(
            models.users.by_ids([post.author_id for post in page.items]),
            models.bodies.many([post.id for post in page.items]),
        )
        bodies = {body.post_id: body.md for body in found}
        return [blog(post, bodies.get(post.id, ""), authors.get(post.author_id)) for post in page.items]

    async def answer_blog(self, post: Post, md: str, status: int = 200) -> None:
        """One blog, as every call that changes one answers it."""
        self.answer(blog(post, md, await self.app.models.users.find(post.author_id)), status)


class Blog(Blogs):
    arguments = ()

    async def get(self, id: str) -> None:  # type: ignore[override]
        models = self.app.models
        post = await models.posts.published(int(id))
        body, author = await asyncio.gather(models.bodies.find(post.id), models.users.find(post.author_id))
        self.answer(blog(post, body.md if body else "", author))

    async def post(self, id: str) -> None:  # type: ignore[override]
        """Change title, summary and text; the tags stay."""
        me = self.member(EDITOR)
        new = draft(self.fields("name", "summary", "content"))
        await self.answer_blog(await self.app.models.writing.edit(int(id), new, by=me), new.md)


class DeleteBlog(JsonAnswer):
    async def post(self, id: str) -> None:
        me = self.member(EDITOR)
        post = await self.app.models.publishing.trash(int(id), by=me)
        self.answer({"id": post.id})


class BlogComments(JsonAnswer):
    async def post(self, id: str) -> None:
        me = self.member(LOGIN)
        fields = self.fields("content")
        self.tell_standing(await self.app.limits.hit(self.app.limits.comment, str(me.id)))
        made = await self.app.models.comments.create(int(id), fields["content"], by=me)
        self.set_header("Location", self.reverse_url("comment", made.id))
        self.answer(comment(made, me), 201)


class LatestComments(JsonAnswer):
    arguments = ("page",)

    async def get(self) -> None:
        """The newest of the site; those under posts that readers cannot see are left out."""
        models = self.app.models
        page = await models.comments.newest(self.page_asked())
        found, people = await asyncio.gather(
            models.posts.many([c.post_id for c in page.items]), models.users.by_ids([c.author_id for c in page.items])
        )
        posts = {post.id for post in found if post.status == "published"}
        shown = [comment(c, people.get(c.author_id)) for c in page.items if c.post_id in posts]
        self.answer({"page": page_facts(page), "comments": shown})


class DeleteComment(JsonAnswer):
    async def post(self, id: str) -> None:
        gone = await self.app.models.comments.trash(int(id), by=self.member(LOGIN))
        self.answer({"id": gone.id})


class ApiUsers(Signing, JsonAnswer):
    stored = False

    async def get(self) -> None:
        """For operators; addresses are left out all the same."""
        await self.identify()
        self.set_header("Cache-Control", "private, no-store")
        page = await self.app.models.users.page(self.page_asked(), by=self.member(OPERATOR))
        self.answer({"page": page_facts(page), "users": [user(one) for one in page.items]})

    async def post(self) -> None:
        """Register, and be signed in."""
        if self.site.registration == "closed":
            raise HTTPError(403)
        sent = self.fields("name", "email", "passwd")
        form = Registration.read({"name": sent["name"], "email": sent["email"], "password": sent["passwd"]})
        made = await self.register(form)
        if made.active:
            await self.sign_in(made)
        self.set_header("Location", self.reverse_url("user", made.id))
        self.answer(user(made), 201)


class Authenticate(Signing, JsonAnswer):
    async def post(self) -> None:
        sent = self.fields("email", "passwd")
        found = await self.authenticate(sent["email"], sent["passwd"])
        if found is None or not found.active:
            self.set_header("Cache-Control", "no-store")
            self.set_status(401)
            self.tell(Told(401, NOT_ACTIVE if found else WRONG, {}, {}))
            return
        await self.sign_in(found)
        self.answer(user(found))


class NoSuchCall(JsonAnswer):
    """Any other address below /api/."""

    stored = False

    async def get(self) -> None:
        raise NotFound(self.request.path)

    post = put = patch = delete = get


def draft(fields: dict[str, str]) -> Draft:
    """What an editor's API call fills in; it knows nothing of tags. Raises Invalid by the call's own names."""
    wrong = {name: "This field is missing." for name in ("name", "content") if not fields[name].strip()}
    if wrong:
        raise Invalid(wrong)
    return Draft(fields["name"], fields["summary"], fields["content"].replace("\r\n", "\n"), None)
