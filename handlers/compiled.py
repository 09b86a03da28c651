"""What templates are compiled to, kept from one start to the next: to compile all of them takes seconds, to read that 0.1 s.

It is code, so it is read from a folder that is ours alone. Nothing depends on it: what cannot be read is compiled, and what
cannot be written is compiled again by the next process.
"""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

log = logging.getLogger("plaza.web")


class Compiled(FileSystemBytecodeCache):
    """Of one template the last that was compiled, whichever release that was in. `made_by`: whatever the code depends on beside
    the template's text."""

    def __init__(self, folder: Path, made_by: str) -> None:
        super().__init__(str(folder), "%s.cache")
        self._made_by = f"{jinja2.__version__} {made_by}"

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return super().get_cache_key(name)

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(f"{self._made_by} {source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception as error:  # a file that a crash left behind can be anything
            log.info("what a template was compiled to cannot be read: %r", error)
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # a full disk
            super().dump_bytecode(bucket)


def compiled_in(folder: Path, made_by: str) -> Compiled | None:
    """The folder, made if it is not there; None where it cannot be used, or somebody else can write there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        log.warning("what templates are compiled to is not kept: %s", error)
        return None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        log.warning("what templates are compiled to is not kept: %s is not ours alone (chmod 700)", folder)
        return None
    return Compiled(folder, made_by)
