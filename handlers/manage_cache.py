"""The cache in plain sight: how well, what, and whether it is true; one name looked up on every level, and dropped."""

from typing import Any
from urllib.parse import urlencode

from handlers.charts import line, stacked
from handlers.keeping import keys_of
from handlers.manage import ManagePage
from models.errors import Invalid
from models.questions import asked, families, family, shown_name, shown_value
from models.roles import ADMINISTER
from models.survey import SECONDS, Span


class ManageCache(ManagePage):
    needs = ADMINISTER

    async def get(self) -> None:
        key = self.get_query_argument("key", "")
        try:
            found = await self.looked_up(key) if key else {}
        except Invalid as error:
            await self.show_cache(422, {"form": next(iter(error.fields.values()))}, key=key)
            return
        await self.show_cache(key=key, **found)

    async def looked_up(self, key: str) -> dict[str, Any]:
        """What the levels hold under a name, or what is kept of a page. Raises Invalid."""
        slot = asked(key, self.app.settings.namespace)
        if isinstance(slot, str):
            return {"path_asked": slot, "pages": await self.app.models.inspector.pages(keys_of(slot))}
        return {"looked": await self.app.models.inspector.look(slot)}

    async def show_cache(self, status: int = 200, errors: dict[str, str] | None = None, **found: Any) -> None:
        """The page; `found` is what was looked up."""
        wanted = self.get_query_argument("span", "hour")
        span: Span = next((known for known in SECONDS if known == wanted), "hour")
        survey = await self.app.models.surveying.now(span)
        context = {
            "survey": survey, "families": families(), "compare_every": self.app.settings.compare_every,
            "page_ttl": self.app.settings.page_ttl,
            "shapes": stacked([(b.answered.l1, b.answered.l2, b.answered.joined, b.answered.loads) for b in survey.bars]),
            "line": line, "shown_name": shown_name, "shown_value": shown_value, "looked": None, "pages": None, "path_asked": "",
            "notice": self.get_query_argument("done", ""), **found,
        }  # fmt: skip
        if errors:
            self.show_wrong("manage/cache.html", status, errors, **context)
        else:
            self.show("manage/cache.html", **context)


class DropFromCache(ManageCache):
    """One name, the pages kept at a path, or a whole family is read again."""

    async def get(self) -> None:
        self.redirect(self.reverse_url("manage_cache"))

    async def post(self) -> None:
        key, whole = self.get_body_argument("key", ""), self.get_body_argument("family", "")
        inspector, by = self.app.models.inspector, self.member()
        try:
            if whole:
                await inspector.drop_family(family(whole), by=by)
            elif isinstance(slot := asked(key, self.app.settings.namespace), str):
                await inspector.drop_pages(slot, keys_of(slot), by=by)
            else:
                await inspector.drop(slot, by=by)
        except Invalid as error:
            await self.show_cache(422, {"form": next(iter(error.fields.values()))}, key=key)
            return
        query = urlencode({"done": "family" if whole else "key", **({} if whole else {"key": key})})
        self.redirect(f"{self.reverse_url('manage_cache')}?{query}", status=303)
