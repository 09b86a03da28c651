"""The picture beside a member's name: one of their files, cut to a square. When the file goes, the picture goes."""

from collections.abc import Iterable

from handlers.account import AccountForm
from handlers.base import Base
from handlers.receiving import Receiving
from handlers.statuses import tell_of
from handlers.uploads import Upload, UploadFields
from models.errors import Invalid
from models.file_rows import File
from models.files import Added
from models.uploads import Box

SIDE = 256  # pixels


class ChoosePicture(Upload, AccountForm):
    async def received(self, receiving: Receiving) -> None:
        try:
            await super().received(receiving)
        except Invalid as error:
            await self.show_account(tell_of(error, 422).status, error.fields)

    def box(self, fields: UploadFields) -> Box:
        return Box(SIDE, SIDE)

    async def uploaded(self, added: Added) -> None:
        await self.app.models.users.set_image(added.file.owner_id, _address(self, added.file), by=self.member())
        self.done("picture")


class RemovePicture(AccountForm):
    """The file stays."""

    async def post(self) -> None:
        me = self.member()
        await self.app.models.users.set_image(me.id, "", by=me)
        self.done("no-picture")


async def follow(handler: Base, trashed: Iterable[File]) -> None:
    """Whose picture one of these files was has none any more."""
    files, users = [file for file in trashed if file.kind == "image"], handler.app.models.users
    owners = await users.by_ids([file.owner_id for file in files])
    for file in files:
        owner = owners.get(file.owner_id)
        if owner and owner.image == _address(handler, file):
            await users.set_image(owner.id, "", by=handler.member())


def _address(handler: Base, file: File) -> str:
    address: str = handler.reverse_url("file_i", file.stored_name)
    return address
