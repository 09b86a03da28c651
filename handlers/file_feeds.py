"""The feed of the latest files."""

from html import escape

from handlers.feeds import FeedPage
from handlers.file_addresses import not_beyond
from handlers.syndication import Entry
from handlers.views import script
from models.file_rows import File
from models.users import User


class FilesFeed(FeedPage):
    async def get(self, kind: str) -> None:
        models = self.app.models
        files = await models.files.latest()
        not_beyond(self, files)
        people = await models.users.by_ids([file.owner_id for file in files])
        entries = [self._file(file, people.get(file.owner_id)) for file in files]
        title = f"{self.translate('Latest files')} · {self.site.title}"
        self.send(kind, title, self.whole("files_feed", kind), self.whole("files"), entries)

    def _file(self, file: File, owner: User | None) -> Entry:
        """An image is in the entry itself."""
        url, inline, name = (
            self.whole("file", file.stored_name),
            self.whole("file_i", file.stored_name),
            escape(file.name),
        )
        shown = f'<img src="{inline}" alt="{name}">' if file.kind == "image" else name
        facts = f"{file.mime}, {self.app.views.size(self.lang, file.size)}"
        who, theirs = self.author(owner)
        return Entry(
            url, url, file.name, facts, f'<p><a href="{url}">{shown}</a></p><p>{escape(facts)}</p>', script(file.name),
            file.created_at, file.created_at, who, theirs,
        )  # fmt: skip
