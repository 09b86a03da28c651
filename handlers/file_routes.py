"""The routes of the files."""

from typing import Any

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = ()
