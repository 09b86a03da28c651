"""The site's own words and rules, as an administrator edits them."""

from handlers.manage import ManagePage
from models.errors import Invalid
from models.roles import ADMINISTER
from models.site import CHOICES, LIMITS, Site

FIELDS = (*LIMITS, *CHOICES)


class ManageSite(ManagePage):
    needs = ADMINISTER

    async def get(self) -> None:
        self.show("manage/site.html", values=as_typed(self.site), notice=self.get_query_argument("done", ""))

    async def post(self) -> None:
        values = {name: self.get_body_argument(name, "") for name in FIELDS if name in self.request.body_arguments}
        # A box that is not ticked is not sent.
        values["hold_first_comments"] = "1" if values.get("hold_first_comments") == "1" else "0"
        values = {name: text.replace("\r\n", "\n") for name, text in values.items()}
        try:
            await self.app.models.sites.edit(values, by=self.member())
        except Invalid as error:
            self.show_wrong("manage/site.html", 422, error.fields, values={**as_typed(self.site), **values})
            return
        self.redirect(f"{self.reverse_url('manage_site')}?done=saved", status=303)


def as_typed(site: Site) -> dict[str, str]:
    """The site as the form's fields hold it."""
    values = {name: str(getattr(site, name)) for name in FIELDS}
    return {**values, "hold_first_comments": "1" if site.hold_first_comments else "0"}
