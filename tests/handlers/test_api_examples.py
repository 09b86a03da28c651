"""The curl commands of docs/api.md do what they are there for."""

import re
import shlex
from pathlib import Path
from string import Template

from models import Models
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People

API = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"


async def test_the_examples_of_the_api_work(
    models: Models, town: Town, people: People, bob: Browser, visitor: Browser
) -> None:
    made = await bob.post_json("/api/v1/me/tokens", {"name": "The examples", "scopes": ["read", "write"]})
    names = {"SITE": "", "TOKEN": made.json()["token"], "POST": town.post.id}
    lines = [
        line for block in re.findall(r"^```sh\n(.*?)^```$", API.read_text(), re.M | re.S) for line in block.splitlines()
    ]

    assert len(lines) >= 3
    for line in lines:
        path, headers, body = asked(Template(line).substitute(names))
        answer = await visitor.request("POST" if body else "GET", path, body=body, headers=headers)
        assert answer.status in (200, 201), line
    assert (await models.comments.latest_of(people.bob.id))[0].md == "Hello"


def asked(command: str) -> tuple[str, dict[str, str], bytes | None]:
    """(path, headers, body) of a curl command with the options that the document uses."""
    program, *words = shlex.split(command)
    assert program == "curl"
    headers, body, path = dict[str, str](), None, ""
    while words:
        match words.pop(0):
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                body = words.pop(0).encode()
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            case path:
                pass
    return path, headers, body
