"""Members who vote through the API, each with a token of their own."""

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from models.tokens import WRITE
from models.users import User

CHOICES = ("Red", "绿", "Blue")


async def poll_and_voters(models: Models, voters: int) -> tuple[Poll, list[User], list[str]]:
    """An open poll, so many members, and their tokens."""
    editor = await models.users.import_author("Edith")
    await models.users.grant(editor.id, "editor")
    poll = await models.polls.create(NewPoll("Which colour?", CHOICES), by=editor)
    members: list[User] = []
    tokens: list[str] = []
    for number in range(voters):
        user = await models.users.import_author(f"Voter {number}")
        await models.users.grant(user.id, "member")
        opened = await models.sessions.start(user.id, days=1, ip=None, user_agent="")
        session = await models.sessions.by_token(opened)
        assert session
        _, secret = await models.tokens.create("votes", (WRITE,), days=None, by=user, session=session)
        members.append(user)
        tokens.append(secret)
    return poll, members, tokens
