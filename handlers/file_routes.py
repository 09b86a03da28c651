"""The routes of the files."""

from typing import Any

from handlers import file_answers, file_feeds, files, own_files, pictures, uploads, v1_files
from handlers.file_addresses import NAME

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/files", files.FilesPage, "files"),
    (r"/files/feed\.(atom|rss|json)", file_feeds.FilesFeed, "files_feed"),
    (r"/j", uploads.Paste, "paste"),
    (rf"/p/{NAME}", files.FilePage, "file"),
    (rf"/i/{NAME}", file_answers.FileItself, "file_i"),
    (rf"/d/{NAME}", file_answers.FileToKeep, "file_d"),
    (r"/s/([A-Za-z0-9]{1,20})", file_answers.ShortAddress, "file_s"),
    (rf"/r/{NAME}", file_answers.OtherSize, "file_r"),
    (r"/latest_files", v1_files.LatestFiles, "latest_files"),
    (r"/account/files", own_files.OwnFiles, "account_files"),
    (r"/account/picture", pictures.ChoosePicture, "account_picture"),
    (r"/account/picture/remove", pictures.RemovePicture, "account_picture_remove"),
)
