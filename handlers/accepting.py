"""Addresses that people and programs use alike: what is wrong is told to each in their own way."""

from handlers.base import Base
from handlers.statuses import Told
from handlers.v1 import tell_problem


class Accepting(Base):
    @property
    def for_people(self) -> bool:
        """Whether a page is wanted. Programs ask for JSON, or for anything."""
        return not self.answers_json and "text/html" in self.request.headers.get("Accept", "")

    def tell(self, told: Told) -> None:
        if self.for_people:
            super().tell(told)
        else:
            tell_problem(self, told)
