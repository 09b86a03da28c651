"""The routes of the polls."""

from typing import Any

from handlers import poll_aliases
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/questions", poll_aliases.Questions, "questions"),
    (rf"/questions/{ID}/choice", poll_aliases.Choices, "question_choices"),
)
