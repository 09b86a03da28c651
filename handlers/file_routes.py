"""The routes of the files."""

from typing import Any

from handlers import file_answers, uploads, v1_files
from handlers.file_addresses import NAME

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/j", uploads.Paste, "paste"),
    (rf"/i/{NAME}", file_answers.FileItself, "file_i"),
    (rf"/d/{NAME}", file_answers.FileToKeep, "file_d"),
    (r"/s/([A-Za-z0-9]{1,20})", file_answers.ShortAddress, "file_s"),
    (rf"/r/{NAME}", file_answers.OtherSize, "file_r"),
    (r"/latest_files", v1_files.LatestFiles, "latest_files"),
)
