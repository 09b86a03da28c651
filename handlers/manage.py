"""What all manage pages have alike."""

from handlers.pages import HtmlPage
from models.errors import NotFound
from models.roles import EDITOR


class ManagePage(HtmlPage):
    public = False
    needs = EDITOR

    def asked_id(self) -> int:
        """The `id` of the address or form. Raises NotFound when it is no number."""
        text = self.get_argument("id", "")
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise NotFound("id")
        return int(text)
