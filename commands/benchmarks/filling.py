"""Writes the generated posts and comments into an instance: the newest by the models, as an import and members would."""

import asyncio
from datetime import timedelta

from commands.benchmarks import bulk, texts
from commands.benchmarks.bulk import Tell
from models import Models, connected
from models.posts import Post
from models.users import User
from settings import Settings


def fill(settings: Settings, count: int, tell: Tell) -> list[Post]:
    """Write `count` posts, and give back the newest, which are whole, oldest first; `tell` hears what is being done."""
    whole = min(count, texts.WHOLE)
    people = asyncio.run(_people(settings))
    if count > whole:
        with bulk.in_haste(settings):
            bulk.fill(settings, count - whole, people, tell)
    return asyncio.run(_whole(settings, whole, people, tell))


async def _people(settings: Settings) -> list[User]:
    async with connected(settings) as models:
        return [await models.users.import_author(f"{name} Bench") for name in texts.NAMES]


async def _whole(settings: Settings, count: int, people: list[User], tell: Tell) -> list[Post]:
    async with connected(settings) as models:
        for number, imported in enumerate(texts.posts(count)):
            tell("Writing posts", number, count)
            await models.imports.post(imported)
        written = sorted(await models.posts.managed(status="published", most=count), key=lambda post: post.id)
        for number, post in enumerate(written):
            tell("Writing comments", number, count)
            await _discuss(models, post, number, people)
        return written


async def _discuss(models: Models, post: Post, number: int, people: list[User]) -> None:
    threads: list[int] = []  # for each comment the id of the one that began its thread
    assert post.published_at is not None
    for place, (text, answers) in enumerate(texts.comments(number)):
        parent = None if answers is None else threads[answers]
        at = post.published_at + timedelta(hours=place + 1)
        by = people[(number + place) % len(people)]
        made = await models.comments.place(post.id, text, by=by, at=at, parent_id=parent)
        threads.append(parent or made.id)
