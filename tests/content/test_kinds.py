"""What files are, by their bytes; whatever they are called."""

import time
from pathlib import Path

import pytest

from content.kinds import BINARY, INLINE, Found, TooManyPixels, find
from tests.content.pictures import bomb, picture

MOST = 100_000_000
ZEROS = bytes(200)
PLAYED = {
    "audio/mpeg": b"ID3\x04" + ZEROS,
    "audio/mp4": b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + ZEROS,
    "audio/ogg": b"OggS\0\x02" + bytes(20) + b"\x01\x1e\x01vorbis" + ZEROS,
    "audio/wav": b"RIFF\x24\x08\0\0WAVEfmt " + ZEROS,
    "audio/flac": b"fLaC\0\0\0\x22" + ZEROS,
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + ZEROS,
    "video/webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + ZEROS,
    "video/ogg": b"OggS\0\x02" + bytes(20) + b"\x01\x2a\x80theora" + ZEROS,
    "video/quicktime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + ZEROS,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "no-name"


def found(file: Path, data: bytes, name: str = "x") -> Found:
    file.write_bytes(data)
    return find(file, name, MOST)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP"])
def test_a_picture_has_its_size_and_is_shown(file: Path, format: str) -> None:
    kind = found(file, picture(60, 40, format), "liar.txt")

    assert kind == Found(f"image/{format.lower()}", "image", 60, 40)
    assert kind.mime in INLINE


@pytest.mark.parametrize("mime", PLAYED)
def test_what_browsers_play_is_shown(file: Path, mime: str) -> None:
    assert found(file, PLAYED[mime]) == Found(mime, "audio" if mime.startswith("audio/") else "video")
    assert mime in INLINE


def test_two_bytes_of_sound_need_the_name_to_say_so(file: Path) -> None:
    frame = b"\xff\xfb\x90\x64" + ZEROS

    assert found(file, frame, "song.mp3").mime == "audio/mpeg"
    assert found(file, frame, "data.bin").kind == "binary"


def test_a_paper_is_one_by_its_first_bytes(file: Path) -> None:
    assert found(file, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n") == Found("application/pdf", "pdf")
    assert found(file, b"<script>alert(1)</script>%PDF-1.7", "a.pdf") == Found(BINARY, "text")


@pytest.mark.parametrize("text", ["hi", "四层缓存\n", "a\tb\r\n\x1b[31mred", "😀" * 200_000])
def test_text_is_utf_8_without_control_characters(file: Path, text: str) -> None:
    assert found(file, text.encode(), "notes") == Found("text/plain", "text")


@pytest.mark.parametrize(
    "data", ["缓存".encode("gbk"), b"a\0b", b"\x01\x02", b"\xff\xfe", b"caf\xe9", "缓".encode()[:2]]
)
def test_what_is_not_text_is_not_shown_as_text(file: Path, data: bytes) -> None:
    assert found(file, data, "notes.txt") == Found(BINARY, "binary")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "<!DOCTYPE html><p>"),
        ("a.png", "\n  <SVG xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a", "\ufeff<?xml version='1.0'?>"),
        ("a.svg", "no mark at all"),
        ("A.HTML", "hello"),
        ("a.xht.xhtml", "hello"),
    ],
)
def test_what_a_browser_would_run_is_text_that_is_sent_as_bytes(file: Path, name: str, text: str) -> None:
    assert found(file, text.encode(), name) == Found(BINARY, "text")
    assert BINARY not in INLINE


def test_nothing_that_is_shown_is_ever_run() -> None:
    assert not {mime for mime in INLINE if any(word in mime for word in ("html", "xml", "svg", "script"))}


@pytest.mark.parametrize("whole", [True, False])
def test_a_bomb_is_refused_by_its_header(file: Path, whole: bool) -> None:
    began = time.perf_counter()
    with pytest.raises(TooManyPixels):
        found(file, bomb(60_000, 60_000, whole=whole))

    assert time.perf_counter() - began < 10  # minutes, for who unpacks it
    with pytest.raises(TooManyPixels):
        found(file, bomb(10_001, 10_000))
    assert found(file, bomb(10_000, 10_000)).width == 10_000


@pytest.mark.parametrize(("remarks", "kind"), [(8, "image"), (20, "binary")])
def test_a_header_is_looked_for_in_the_first_megabyte(file: Path, remarks: int, kind: str) -> None:
    """Whoever reads one mark by mark would be held up for as long as somebody likes."""
    remark, whole = b"\xff\xfe\xff\xff" + bytes(65_533), picture(format="JPEG")

    assert found(file, whole[:2] + remark * remarks + whole[2:]).kind == kind


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\nnothing of a picture", picture()[:20], picture(format="JPEG")[:30], picture(format="WEBP")[:25],
        picture(format="AVIF")[:60], b"GIF89a\xff", b"RIFF\xff\xff\xff\xffWEBP", b"\x00\x00\x00\x20ftypavif" + ZEROS,
        b"BM" + ZEROS,
    ],
)  # fmt: skip
def test_what_only_begins_like_a_picture_is_bytes(file: Path, data: bytes) -> None:
    assert found(file, data, "a.png").kind == "binary"


@pytest.mark.parametrize(
    "data", [b"MZ\x90\0\x03" + ZEROS, b"PK\x03\x04" + ZEROS, b"\x7fELF" + ZEROS, bytes(range(256)) * 9]
)
def test_everything_else_is_bytes(file: Path, data: bytes) -> None:
    assert found(file, data, "a.jpg") == Found(BINARY, "binary")
