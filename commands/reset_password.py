"""`plaza reset-password`: a new password for somebody who lost theirs; no e-mail is needed."""

import click

from commands.console import Trouble, say
from commands.create_admin import new_password
from commands.instance import current
from commands.migrate import reachable
from commands.tables import with_models
from models import Models, passwords
from models.users import User


@click.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
def command(email: str, password_stdin: bool) -> None:
    """Give the member with this EMAIL a new password. All their sessions and tokens end."""
    settings = current()
    reachable(settings)

    async def known(models: Models) -> User | None:
        user = await models.users.by_email(email)
        return user if user and not user.email.startswith("imported:") else None

    user = with_models(settings, known)
    if user is None:
        raise Trouble(f"nobody has the address {email}")
    password = new_password(password_stdin, ask=True)
    assert password is not None

    async def reset(models: Models) -> tuple[int, int]:
        return await models.addresses.new_password(user.id, await passwords.hash_password(password))

    sessions, tokens = with_models(settings, reset)
    say(f"[green]✓[/] {email} has a new password; sessions ended: {sessions}, tokens: {tokens}")
