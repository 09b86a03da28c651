"""Files for tests, put where an upload puts them."""

from datetime import timedelta

from content.kinds import Found
from models import Models
from models.file_rows import File
from models.files import Added
from models.users import User

PNG, JPEG = Found("image/png", "image", 640, 480), Found("image/jpeg", "image", 3, 2)


async def upload(
    models: Models,
    by: User,
    data: bytes = b"A cat.",
    name: str = "cat.png",
    *,
    found: Found = PNG,
    expires: timedelta | None = None,
) -> Added:
    async with await models.storage.incoming() as incoming:
        await incoming.write(data)
        return await models.files.add(incoming, name, found, by=by, expires=expires)


async def resize(models: Models, parent: File, box: str, by: User, data: bytes = b"") -> File:
    """Its bytes are the box, or `data`."""
    async with await models.storage.incoming() as incoming:
        await incoming.write(data or box.encode())
        return await models.files.add_resized(parent, box, incoming, JPEG, by=by)


async def stored(models: Models) -> list[bytes]:
    return [kept.sha256 async for kept in models.storage.everything()]
