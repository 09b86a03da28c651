"""The picture beside a member's name: one of their files, cut to a square. When the file goes, the picture goes
(models/file_rows.py)."""

from handlers.account import AccountForm
from handlers.receiving import Receiving
from handlers.statuses import tell_of
from handlers.uploads import Upload, UploadFields
from models.errors import Invalid
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
        if fields.expires:
            raise Invalid({"expires": "There is no field of this name."})
        return Box(SIDE, SIDE)

    async def uploaded(self, added: Added) -> None:
        address = self.reverse_url("file_i", added.file.stored_name)
        await self.app.models.users.set_image(added.file.owner_id, address, by=self.member())
        self.done("picture")


class RemovePicture(AccountForm):
    """The file stays."""

    async def post(self) -> None:
        me = self.member()
        await self.app.models.users.set_image(me.id, "", by=me)
        self.done("no-picture")
