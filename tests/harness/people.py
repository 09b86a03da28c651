"""Who the tests are about. Alice writes, Bob trespasses, Olga operates, Ada administers; a visitor is nobody."""

import asyncio
from dataclasses import dataclass

from models import Models, connected
from models.passwords import hash_password
from models.users import User
from settings import Settings

PASSWORD = "correct horse battery"
ROLES = {"alice": "editor", "bob": "member", "olga": "operator", "ada": "admin"}


@dataclass(frozen=True, slots=True)
class People:
    """The rows of everybody, as they are at the beginning of a test. Each one's password is PASSWORD."""

    alice: User
    bob: User
    olga: User
    ada: User

    def named(self, name: str) -> User | None:
        """By first name; None for "visitor"."""
        found: User | None = getattr(self, name, None)
        return found


def email_of(name: str) -> str:
    return f"{name}@example.org"


async def find(models: Models) -> People:
    found = {name: await models.users.fresh().by_email(email_of(name)) for name in ROLES}
    return People(**{name: user for name, user in found.items() if user})


def register_all(settings: Settings) -> None:
    """Give everybody an account; done once, in the template."""

    async def register() -> None:
        hashed = await hash_password(PASSWORD)
        async with connected(settings) as models:
            for name, role in ROLES.items():
                await models.users.register(name.title(), email_of(name), hashed, role=role)

    asyncio.run(register())
