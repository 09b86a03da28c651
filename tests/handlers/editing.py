"""The editor's form as a browser fills it in and sends it, for the tests of writing."""

import html
import re

from models import Models
from models.posts import Post
from models.writing import Draft
from tests.harness.browser import Answer
from tests.harness.people import People

FORM = {"title": "A title", "summary": "", "body": "Some *text*.", "tags": "red", "action": "save"}
MINE = "My very own words, typed for an hour."


async def draft(
    models: Models, people: People, title: str = "Old", body: str = "Old text.", *, publish: bool = False
) -> Post:
    return await models.writing.create(Draft(title, "S", body, ("red",)), by=people.alice, publish=publish)


def form_of(answer: Answer) -> dict[str, str]:
    """The editor's form as a browser would send it."""
    fields = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', answer.text))
    fields |= {
        name: value for value, name in re.findall(r'<input[^>]* value="([^"]*)"[^>]* name="(title|tags)"', answer.text)
    }
    fields |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', answer.text, re.S))
    return {name: html.unescape(value) for name, value in fields.items()}


def edit(post: Post, **changes: str) -> dict[str, str]:
    return {**FORM, "id": str(post.id), "version": str(post.version), **changes}
