"""The curl commands of docs/api.md and docs/boards.md do what they are there for."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Template

from models import Models
from tests.handlers.conftest import Town
from tests.handlers.ranks import race
from tests.harness.browser import Browser
from tests.harness.files import form, png
from tests.harness.people import People

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def commands(document: str) -> Iterator[str]:
    for block in re.findall(r"^```sh\n(.*?)^```$", (DOCS / document).read_text(), re.M | re.S):
        yield from block.splitlines()


async def run(document: str, browser: Browser, names: dict[str, object]) -> int:
    """Send what the commands of a document say, each with what the ones before have told; how many there were."""
    lines = list(commands(document))
    for line in lines:
        method, path, headers, body = asked(line, names)
        answer = await browser.request(method, path, body=body, headers=headers)
        assert answer.status in (200, 201, 204), f"{line}: {answer.text}"
        names["ETAG"] = answer.headers.get("Etag", "")
        if answer.location.startswith("/api/v1/polls/"):
            poll = answer.json()
            names |= {"POLL": poll["id"], "CHOICE": poll["choices"][1]["id"]}
        if answer.location.startswith("/api/v1/files/"):
            names["NAME"] = answer.json()["name"]
    return len(lines)


async def test_the_examples_of_the_api_work(
    models: Models, town: Town, people: People, alice: Browser, bob: Browser, visitor: Browser
) -> None:
    wanted = {"name": "The examples", "scopes": ["read", "write"]}
    made = [await who.post_json("/api/v1/me/tokens", wanted) for who in (bob, alice)]
    tokens = [answer.json()["token"] for answer in made]
    names: dict[str, object] = {"SITE": "", "TOKEN": tokens[0], "EDITOR": tokens[1], "POST": town.post.id}

    assert await run("api.md", visitor, names) >= 15
    assert (await models.comments.latest_of(people.bob.id))[0].md == "Hello"
    id = int(str(names["POLL"]))
    assert (await models.results.fresh().one(id)).votes == (0, 1)
    assert (await models.polls.fresh().one(id)).status == "trashed"


async def test_the_examples_of_boards_work(
    models: Models, people: People, bob: Browser, olga: Browser, visitor: Browser
) -> None:
    await race(models, people)
    made = [
        await who.post_json("/api/v1/me/tokens", {"name": "The examples", "scopes": [scope]})
        for who, scope in ((bob, "scores"), (olga, "write"))
    ]
    tokens = [answer.json()["token"] for answer in made]
    names: dict[str, object] = {"SITE": "", "TOKEN": tokens[0], "OPERATOR": tokens[1], "PLAYER": people.bob.id}

    assert await run("boards.md", visitor, names) >= 7
    assert (await models.boards.by_slug("golf")).title == "Mini golf"


def asked(command: str, names: dict[str, object]) -> tuple[str, str, dict[str, str], bytes | None]:
    """(method, path, headers, body) of a curl command with the options that the documents use."""
    program, *words = (Template(word).substitute(names) for word in shlex.split(command))
    assert program == "curl"
    headers, fields, parts, method, path = dict[str, str](), list[str](), dict[str, str](), "", ""
    while words:
        match words.pop(0):
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                fields.append(words.pop(0))
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            case "-F":
                name, _, value = words.pop(0).partition("=")
                parts[name] = value
            case "-X":
                method = words.pop(0)
            case "-i":
                pass
            case path:
                pass
    if parts:
        body, kind = form(parts.pop("file").removeprefix("@"), png(600, 400), **parts)
        return "POST", path, headers | kind | {"Accept": "*/*"}, body
    return method or ("POST" if fields else "GET"), path, headers, "&".join(fields).encode() if fields else None
