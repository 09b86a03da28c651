"""Files for programs: the latest, one's own, one by its name; sent, and deleted."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from handlers import media
from handlers.api import JsonAnswer
from handlers.file_addresses import addresses, not_beyond
from handlers.inputs import Input
from handlers.uploads import Upload, UploadFields
from handlers.v1 import V1, Output, call
from models.file_rows import File
from models.files import LATEST, PER_PAGE, Added
from models.roles import LOGIN
from models.users import User


class AskedFiles(Input):
    start: int = Field(0, ge=0, le=LATEST, description="How many of the latest are left out")
    limit: int = Field(20, ge=1, le=LATEST)
    mine: bool = Field(False, description="One's own, thirty at a time, instead of everybody's latest")
    before: int = Field(0, ge=0, lt=10**18, description="Where one's own go on, as `Link` says")


class SentFile(UploadFields):
    file: bytes = Field(description="The one file, with its name")


class Owner(Output):
    id: int
    name: str
    url: str


class FileShape(Output):
    """`url_i` is the file itself, `url_d` the same to be saved, `url_p` its page, `url_s` a short address that leads there."""

    name: str = Field(description="In addresses")
    filename: str = Field(description="As its owner calls it")
    owner: Owner | None
    kind: str
    mime: str
    size: int
    width: int | None
    height: int | None
    sha256: str
    md5: str
    created_at: datetime
    expires_at: datetime | None
    url: str
    url_i: str
    url_d: str
    url_p: str
    url_s: str


class _Resource(V1):
    async def shapes(self, files: Sequence[File]) -> tuple[FileShape, ...]:
        owners = await self.app.models.users.by_ids([file.owner_id for file in files])
        return tuple(self._shape(file, owners.get(file.owner_id)) for file in files)

    def _shape(self, file: File, owner: User | None) -> FileShape:
        found = addresses(self, file)
        theirs = Owner(id=owner.id, name=owner.name, url=self.reverse_url("user", owner.id)) if owner else None
        return FileShape(
            name=file.stored_name, filename=file.name, owner=theirs, kind=file.kind, mime=file.mime, size=file.size,
            width=file.width, height=file.height, sha256=file.sha256.hex(), md5=file.md5.hex(), created_at=file.created_at,
            expires_at=file.expires_at, url=self.reverse_url("v1_file", file.stored_name),
            url_i=found.i, url_d=found.d, url_p=found.p, url_s=found.s,
        )  # fmt: skip


class ManyFiles(Upload, _Resource):
    bodies = (media.MULTIPART,)
    stored = False  # one's own are here, too

    @call(asks=AskedFiles, gives=tuple[FileShape, ...])
    async def get(self) -> None:
        """The latest files of everybody, at most fifty; or all of one's own."""
        asked, files = self.asked(AskedFiles), self.app.models.files
        if not asked.mine:
            found = await files.latest(asked.start, asked.limit)
            not_beyond(self, found)
        else:
            await self.identify()
            self.set_header("Cache-Control", "private, no-store")
            found = await files.of_owner(self.member().id, asked.before)
            if len(found) == PER_PAGE:
                self.set_header("Link", f'<{self.reverse_url("v1_files")}?mine=true&before={found[-1].id}>; rel="next"')
        self.answer(await self.shapes(found))

    @call(takes=SentFile, gives=FileShape, status=201)
    async def post(self) -> None:
        """Send a file. 200 when it is yours already, byte for byte."""
        await super().post()

    async def uploaded(self, added: Added) -> None:
        (shape,) = await self.shapes([added.file])
        self.answer(shape, 201 if added.created else 200, location=shape.url)


class OneFile(_Resource):
    @call(gives=FileShape)
    async def get(self, name: str) -> None:
        """A file, by its name in addresses."""
        file = await self.app.models.files.named(name)
        not_beyond(self, [file])
        (shape,) = await self.shapes([file])
        self.answer(shape)

    @call(status=204)
    async def delete(self, name: str) -> None:
        """Delete it, and its copies in other sizes; its owner and operators may."""
        await self.app.models.files.trash_named(name, by=self.member(LOGIN))
        self.answer()


class AskedLatest(Input):
    start: int = Field(0, ge=0, lt=10**9)
    limit: int = Field(20, ge=0, lt=10**9)


class LatestFiles(JsonAnswer):
    """`/latest_files`."""

    arguments = ("start", "limit")

    async def get(self) -> None:
        """Number and name of each, the newest first."""
        query = {name: self.get_query_arguments(name) for name in self.request.query_arguments}
        asked = AskedLatest.of_form(query)
        files = await self.app.models.files.latest(asked.start, min(asked.limit, LATEST))
        not_beyond(self, files)
        self.answer([{"id": file.id, "filename": file.name} for file in files])
