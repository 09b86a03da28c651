"""A record file takes the place of another at its end and not before, and of nothing that is no file."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from replay import reading
from replay.writing import Occupied, Writer, writing
from tests.replay.test_record_files import HEADER, PLAIN, no_more_bytes_than, some, write


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path, beside = write(tmp_path / "a", some(1)), tmp_path / "a~"
    writer = Writer(path, HEADER, force=True)
    for request in some(3):
        writer.add(request)
    writer.flush()

    assert reading.read(path).requests == some(1)
    assert reading.read(beside).requests == some(3)  # as whoever kills it now leaves it
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    writer.finish()
    assert reading.read(path).requests == some(3)
    assert not beside.exists()


def test_what_was_cut_off_takes_its_place_if_anything_can_be_read_from_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(1))
    Writer(path, HEADER, force=True).close()
    assert not reading.read(path).cut
    assert [one.name for one in tmp_path.iterdir()] == ["a"]

    writer = Writer(path, HEADER, force=True)
    for request in some(2):
        writer.add(request)
    writer.flush()
    writer.close()

    assert reading.read(path).cut
    assert reading.read(path).requests == some(2)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_what_can_be_made_again_does_not_take_its_place_when_it_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(1))

    with suppress(ZeroDivisionError), writing(path, HEADER, force=True) as writer:
        writer.add(PLAIN)
        writer.flush()
        assert 1 / 0

    assert not reading.read(path).cut
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_recorder_left_is_not_written_over(tmp_path: Path) -> None:
    path, beside = write(tmp_path / "a", some(1)), write(tmp_path / "a~", some(2))

    with pytest.raises(Occupied, match="left by a recorder that was killed"):
        Writer(path, HEADER, force=True)

    assert (len(reading.read(path).requests), len(reading.read(beside).requests)) == (1, 2)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("other"), lambda path: path.mkdir()])
def test_what_is_no_regular_file_is_left_alone(tmp_path: Path, make: Callable[[Path], object]) -> None:
    write(tmp_path / "other", some(2))
    make(path := tmp_path / "a")
    before = path.lstat()

    for force in (False, True):
        with pytest.raises(Occupied, match="is no regular file"):
            Writer(path, HEADER, force=force)

    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert len(reading.read(tmp_path / "other").requests) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "other"]


def test_where_nothing_can_be_written_all_is_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(1))

    for place, force in ((path, True), (tmp_path / "b", False)):
        with no_more_bytes_than(0), pytest.raises(OSError, match="File too large"):
            Writer(place, HEADER, force=force)

    assert reading.read(path).requests == some(1)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
