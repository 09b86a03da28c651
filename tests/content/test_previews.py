"""The beginning of a text file: which language it is in, how much of it is shown, and that nothing in it is markup."""

from pathlib import Path

import pytest

from content.previews import LONGEST_COLOURED, MOST, Beginning, beginning, language_of


def begun(folder: Path, data: bytes, language: str = "") -> Beginning:
    path = folder / "it"
    path.write_bytes(data)
    return beginning(path, language)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "py"), ("A.PY", "py"), ("main.rs", "rs"), ("Dockerfile", "dockerfile"), ("Makefile", "makefile"),
        ("x.hpp", "cpp"), ("drawing.svg", "xml"), ("notes.txt", ""), ("README", ""), ("", ""), ("py", "py"), (".py", ""),
        ("文件.js", "js"),
    ],
)  # fmt: skip
def test_a_file_is_in_the_language_that_its_name_says(name: str, language: str) -> None:
    assert language_of(name) == language


def test_program_text_is_coloured_and_markup_in_it_is_text(tmp_path: Path) -> None:
    seen = begun(tmp_path, b"if a:\r\n    print('<script>')\n", "py")

    assert seen.language == "py"
    assert '<span class="k">if</span> a:\n' in seen.html
    assert "<script>" not in seen.html
    assert begun(tmp_path, b"<script>alert(1)</script>").html == "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_a_long_text_is_shown_to_the_end_of_a_line_and_says_so(tmp_path: Path) -> None:
    line = "一行字\n".encode()
    seen = begun(tmp_path, line * (MOST // len(line) + 100))

    assert not seen.whole
    assert seen.shown % len(line) == 0
    assert MOST - len(line) < seen.shown <= MOST
    assert "\ufffd" not in seen.html


def test_a_line_without_end_is_cut_between_characters(tmp_path: Path) -> None:
    for shift in range(3):
        seen = begun(tmp_path, b"first line\n" + b"x" * shift + "字".encode() * MOST)

        assert not seen.whole
        assert MOST - 3 < seen.shown <= MOST
        assert "\ufffd" not in seen.html


def test_what_is_just_short_enough_is_whole(tmp_path: Path) -> None:
    seen = begun(tmp_path, b"a\n" * (MOST // 2))

    assert (seen.whole, seen.shown) == (True, MOST)


def test_only_what_is_quickly_done_is_coloured(tmp_path: Path) -> None:
    assert begun(tmp_path, b"#" * LONGEST_COLOURED, "py").language == "py"
    assert begun(tmp_path, b"#" * (LONGEST_COLOURED + 1), "py").language == ""


def test_what_is_no_text_after_all_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    assert begun(tmp_path, b"\xff\xfea\x80").html.endswith("a\ufffd")
    assert begun(tmp_path, b"\xef\xbb\xbfwords").html == "words"
