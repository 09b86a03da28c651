"""The routes of the files."""

from typing import Any

from handlers import file_feeds, files, own_files

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/files", files.FilesPage, "files"),
    (r"/files/feed\.(atom|rss|json)", file_feeds.FilesFeed, "files_feed"),
    (rf"/p/{files.NAME}", files.FilePage, "file"),
    (r"/i/(.*)", files.FilePage, "file_i"),
    (r"/d/(.*)", files.FilePage, "file_d"),
    (r"/s/(.*)", files.FilePage, "file_s"),
    (r"/r/(.*)", files.FilePage, "file_r"),
    (r"/account/picture", files.FilePage, "account_picture"),
    (r"/account/picture/remove", files.FilePage, "account_picture_remove"),
    (r"/account/files", own_files.OwnFiles, "account_files"),
)
