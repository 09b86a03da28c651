"""The routes of the polls."""

from typing import Any

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = ()
