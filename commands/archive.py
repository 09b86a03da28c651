"""The file that `plaza backup` writes and `plaza restore` reads: a gzipped tar whose last member vouches for all others.

    plaza-backup.json      format, time, migrations: whether this Plaza can read the rest
    settings.json          what the site was told by plaza.toml, environment and command line
    var/...                files of var, each with its mode
    tables/<name>/<n>      rows, one JSON array a line: text and numbers as strings, bytes as {"base64": ...}, NULL as null
    manifest.json          size and SHA-256 of each member before it; columns, number of rows, next id of each table

A file that was cut has no manifest; one that was changed does not agree with it.
"""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from commands.console import Trouble

FORMAT = 1
HEAD, SETTINGS, MANIFEST = "plaza-backup.json", "settings.json", "manifest.json"
COMPRESSION = 5  # of 9; beyond it the file hardly gets smaller
_LONGEST_JSON = 64 * 1024 * 1024  # bytes of a member that is read whole

Value = str | bytes | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`next_id`: the AUTO_INCREMENT value; 0 for a table without one."""

    name: str
    columns: tuple[str, ...]
    rows: int
    next_id: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole and unchanged backup holds."""

    made_at: str
    migrations: tuple[str, ...]
    settings: dict[str, Any]
    tables: tuple[Table, ...]


class Writer:
    """Adds members one after another and remembers what each was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed below
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, data: bytes, mode: int = 0o600) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), mode
        self._tar.addfile(info, io.BytesIO(data))
        self._members[name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def add_json(self, name: str, value: Any) -> None:
        self.add(name, json.dumps(value, ensure_ascii=False, indent=1).encode())

    def add_file(self, name: str, path: Path) -> None:
        """A file of any length; Trouble if it changes while it is read."""
        info = tarfile.TarInfo(name)
        with path.open("rb") as file:
            info.size, info.mode = path.stat().st_size, path.stat().st_mode & 0o777
            hashing = _Hashing(file)
            try:
                self._tar.addfile(info, hashing)
            except OSError as error:
                raise Trouble(f"{path} changed while it was read; try again ({error})") from None
        self._members[name] = {"size": info.size, "sha256": hashing.sha256.hexdigest()}

    def close(self, tables: Iterable[Table]) -> None:
        """Write the manifest: only now is the file a backup."""
        known = {t.name: {"columns": t.columns, "rows": t.rows, "next_id": t.next_id} for t in tables}
        self.add_json(MANIFEST, {"members": dict(self._members), "tables": known})
        self._tar.close()
        self._gzip.close()


class _Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


def encode(row: Row) -> bytes:
    """A row as a line."""
    values = [{"base64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in row]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Row:
    return tuple(base64.b64decode(v["base64"]) if isinstance(v, dict) else v for v in json.loads(line))


@contextmanager
def members(
    path: Path, watch: Callable[[int], None] = lambda _: None
) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes]]]]:
    """The members in their order, to be read as they come. `watch` is told how many bytes of the file have been read.

    Raises Trouble for what is no backup, or was cut or damaged.
    """
    try:
        with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as tar:

                def each() -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
                    for info in tar:
                        content = tar.extractfile(info)
                        if content is None or not _harmless(info.name):
                            raise Trouble(f"{path} is not a backup of Plaza: it has a member {info.name!r}")
                        yield info, content
                        watch(raw.tell())

                yield each()
            while unzipped.read(1 << 20):  # to the end, where gzip has its check sum
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Trouble(f"{path} is not a backup of Plaza, or was cut or damaged: {error}") from None


def verify(path: Path, known_migrations: Iterable[str], watch: Callable[[int], None] = lambda _: None) -> Contents:
    """Read all of the file and compare it with what it says of itself. Raises Trouble; changes nothing."""
    head: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    seen: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    with members(path, watch) as found:
        for info, content in found:
            if not head and info.name != HEAD:
                raise Trouble(f"{path} is not a backup of Plaza")
            if manifest is not None or info.name in seen:
                raise Trouble(f"{path} was changed: it has {info.name} where nothing should be")
            if info.name in (HEAD, SETTINGS, MANIFEST):
                data = content.read(_LONGEST_JSON)
                value = _json(path, info.name, data)
                hashed = hashlib.sha256(data)
            else:
                hashed = hashlib.sha256()
                while data := content.read(1 << 20):
                    hashed.update(data)
            if info.name == HEAD:
                head = value
                _readable(path, head, set(known_migrations))
            elif info.name == SETTINGS:
                settings = value
            if info.name == MANIFEST:
                manifest = value
            else:
                seen[info.name] = {"size": info.size, "sha256": hashed.hexdigest()}
    if manifest is None:
        raise Trouble(f"{path} was cut: its end is missing")
    wrong = [name for name in {*seen, *manifest["members"]} if seen.get(name) != manifest["members"].get(name)]
    if wrong:
        raise Trouble(f"{path} was damaged: {min(wrong)} is not what it was when the backup was made")
    tables = tuple(Table(n, tuple(t["columns"]), t["rows"], t["next_id"]) for n, t in manifest["tables"].items())
    return Contents(head["made_at"], tuple(head["migrations"]), settings, tables)


def _readable(path: Path, head: dict[str, Any], known: set[str]) -> None:
    if not isinstance(head.get("format"), int) or not isinstance(head.get("migrations"), list):
        raise Trouble(f"{path} is not a backup of Plaza")
    if head["format"] > FORMAT:
        raise Trouble(f"{path} is of a newer Plaza (format {head['format']}; this one reads {FORMAT}): update first")
    newer = [name for name in head["migrations"] if name not in known]
    if newer:
        raise Trouble(f"{path} is of a newer Plaza, which has the migration {newer[0]}: update first")


def _json(path: Path, name: str, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Trouble(f"{path} is not a backup of Plaza: {name} cannot be read")
    return value


def _harmless(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
