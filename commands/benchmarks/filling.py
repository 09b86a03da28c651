"""Writes the generated posts and comments into an instance, by the models, as an import and members would."""

from collections.abc import Callable
from datetime import timedelta

from commands.benchmarks import texts
from models import Models, connected
from models.posts import Post
from models.users import User
from settings import Settings


async def fill(settings: Settings, count: int, tell: Callable[[int], None]) -> list[Post]:
    """Write `count` posts with their comments, oldest first, and give them back; `tell` hears how many are done."""
    async with connected(settings) as models:
        people = [await models.users.import_author(f"{name} Bench") for name in texts.NAMES]
        for number, imported in enumerate(texts.posts(count)):
            await models.imports.post(imported)
            tell(number // 2)
        written = sorted(await models.posts.managed(status="published", most=count), key=lambda post: post.id)
        for number, post in enumerate(written):
            await _discuss(models, post, number, people)
            tell((count + number) // 2)
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
