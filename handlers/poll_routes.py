"""The routes of the polls."""

from typing import Any

from handlers import live
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = ((rf"/polls/{ID}/live", live.LiveResults, "poll_live"),)
