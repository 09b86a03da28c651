"""The file of a backup: what is cut, damaged, changed, newer or no backup is refused before anything changes."""

import gzip
import io
import os
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from commands import backup, restore
from commands.archive import FORMAT, HEAD, SETTINGS, Table, Writer, decode, encode, verify
from commands.console import Trouble
from commands.migrate import MIGRATIONS

ALL_MIGRATIONS = tuple(sorted(path.stem for path in MIGRATIONS.glob("*.sql")))


def run(command: Any, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    return result.output + str(result.exception or "")


def small(path: Path, *, format: int = FORMAT, migrations: tuple[str, ...] = ALL_MIGRATIONS) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.add_json(HEAD, {"format": format, "made_at": "2026-01-01T00:00:00+00:00", "migrations": migrations})
        writer.add_json(SETTINGS, {})
        writer.add("tables/tags/000001", b'["1","x"]\n' + random.Random(1).randbytes(5000).hex().encode())
        writer.close([Table("tags", ("id", "name"), 1, 2)])
    return path


def refused(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said of a file that is refused; nothing is made."""
    var = tmp_path / "untouched"
    monkeypatch.setenv("PLAZA_VAR", str(var))
    result = run(restore.command, path)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True), said(result)
    assert not var.exists()
    return result.output


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small(tmp_path / "whole").read_bytes()
    verify(tmp_path / "whole", ALL_MIGRATIONS)

    for length in (0, 1, 5, 10, 100, len(whole) // 2, *range(len(whole) - 20, len(whole))):
        (tmp_path / "cut").write_bytes(whole[:length])
        assert "cut" in refused(tmp_path / "cut", tmp_path, monkeypatch), length


def test_a_file_with_one_wrong_byte_is_refused(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole").read_bytes()

    refusals = 0
    for at in range(10, len(whole), 37):  # after the header of gzip, which tells a time and a system
        (tmp_path / "bad").write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            verify(tmp_path / "bad", ALL_MIGRATIONS)
        except Trouble:
            refusals += 1
        else:  # another way to say the same: one zero is like another
            assert gzip.decompress((tmp_path / "bad").read_bytes()) == gzip.decompress(whole), at

    assert refusals > 100


def test_a_member_that_was_changed_with_care_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gzip and its tar are in order: only the manifest can tell."""
    for change in ("content", "added", "missing", "twice"):
        tampered = tmp_path / "tampered"
        with tarfile.open(small(tmp_path / "whole")) as old, tarfile.open(tampered, "w:gz") as new:
            for info in old:
                file = old.extractfile(info)
                data = file.read() if file else b""
                if info.name.startswith("tables/"):
                    data = data.replace(b'"x"', b'"y"') if change == "content" else data
                    extra = tarfile.TarInfo("var/secrets/extra" if change == "added" else info.name)
                    extra.size = len(data)
                    if change in ("added", "twice"):
                        new.addfile(extra, io.BytesIO(data))
                if change != "missing" or not info.name.startswith("tables/"):
                    new.addfile(info, io.BytesIO(data))

        text = refused(tampered, tmp_path, monkeypatch)
        assert "damaged" in text or "changed" in text, change


def test_what_is_newer_or_no_backup_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = refused(small(tmp_path / "a", format=FORMAT + 1), tmp_path, monkeypatch)
    migrated = refused(small(tmp_path / "b", migrations=(*ALL_MIGRATIONS, "9999-more")), tmp_path, monkeypatch)
    (tmp_path / "c").write_bytes(gzip.compress(b"x" * 2000))
    with tarfile.open(tmp_path / "d", "w:gz") as other:
        other.add(__file__, "../../etc/passwd")
    (tmp_path / "e").write_bytes(os.urandom(3000))

    assert "of a newer Plaza (format" in newer
    assert "of a newer Plaza, which has the migration 9999-more" in migrated
    for name in "cde":
        assert "not a backup of Plaza" in refused(tmp_path / name, tmp_path, monkeypatch), name


@pytest.mark.parametrize("name", ["var/../../evil", "/etc/evil", "../evil"])
def test_a_member_that_leads_out_of_var_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "evil").open("wb") as file:
        writer = Writer(file)
        writer.add_json(HEAD, {"format": FORMAT, "made_at": "2026-01-01T00:00:00+00:00", "migrations": ALL_MIGRATIONS})
        writer.add(name, b"x")
        writer.close([])

    assert "not a backup of Plaza: it has a member" in refused(tmp_path / "evil", tmp_path, monkeypatch)


@given(st.lists(st.none() | st.binary() | st.text(), max_size=6))
def test_a_row_is_read_back_as_it_was_written(row: list[str | bytes | None]) -> None:
    try:
        line = encode(tuple(row))
    except UnicodeEncodeError:
        return  # half a character: MySQL cannot hold one either

    assert line.count(b"\n") == 1
    assert decode(line) == tuple(row)


def test_a_file_that_somebody_put_there_first_is_not_written_into(tmp_path: Path) -> None:
    other, link, theirs = tmp_path / "other", tmp_path / "link", tmp_path / "theirs"
    other.touch()
    theirs.touch(0o666)
    link.symlink_to(other)

    with theirs.open("rb") as reader, backup._for_owner(theirs) as first, backup._for_owner(link) as second:
        for file in (first, second):
            file.write(b"secrets")
            file.flush()

        assert reader.read() == other.read_bytes() == b""
    assert theirs.stat().st_mode & 0o777 == 0o600
