"""`plaza create-admin`: makes an administrator, or makes one of a member."""

import secrets
import sys

import click

from commands.console import Trouble, say
from commands.instance import current
from commands.migrate import reachable
from commands.tables import with_models
from handlers.forms import checked_email, checked_name
from models import Models, passwords


@click.command()
@click.argument("email")
@click.option("--name", help="The name that others see.  [default: what stands before the @]")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
def command(email: str, name: str | None, password_stdin: bool) -> None:
    """Make an administrator. A member with this EMAIL keeps the password, unless another one is given."""
    settings = current()
    reachable(settings)
    try:
        email = checked_email(email)
        name = checked_name(name or email.partition("@")[0][:40].ljust(2, "_"))
    except ValueError as error:
        raise Trouble(str(error)) from None

    async def known(models: Models) -> bool:
        return await models.users.by_email(email) is not None

    member = with_models(settings, known)
    password = new_password(password_stdin, ask=not member)

    async def make(models: Models) -> None:
        hashed = await passwords.hash_password(password) if password else None
        user = await models.users.by_email(email)
        if user is None:
            user = await models.users.register(name, email, hashed, role="admin")
        else:
            await models.users.grant(user.id, "admin")
            if hashed:
                await models.users.set_password(user.id, hashed)

    with_models(settings, make)
    say(f"[green]✓[/] {email} is {'now ' if member else ''}an administrator; sign in at {settings.site_url}/signin")


def new_password(from_stdin: bool, *, ask: bool) -> str | None:
    """The new password: a line of standard input, else asked for, else made up and shown. None if not to be asked.

    Raises Trouble for one that the site would not accept either.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not ask:
        return None
    elif sys.stdin.isatty():
        password = click.prompt("Password (at least 10 characters)", hide_input=True, confirmation_prompt=True)
    else:
        password = secrets.token_urlsafe(12)
        say(f"The password is [bold]{password}[/]")
    if (problem := passwords.problem(password)) is not None:
        raise Trouble(problem)
    return password
