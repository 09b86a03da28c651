"""File names come back as people gave them, but for what no file name has."""

import pytest

from content.filenames import LONGEST, clean, resized, suffix


@pytest.mark.parametrize(
    "name", ["猫.png", "قطة.pdf", "🐈 cat (1).tar.gz", "no suffix", ".profile", "a'b\"c;d.txt", "100%.csv"]
)
def test_names_in_any_language_come_back_unchanged(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\Users\\me\\cat.png", "cat.png"), ("/a/b/", "b"), ("a\r\nb\0.txt", "ab.txt"),
        ("", "file"), ("..", "file"), ("  ", "file"), ("/", "file"), (" a.txt ", "a.txt"), ("\ud800a.txt", "a.txt"),
    ],
)  # fmt: skip
def test_paths_and_control_characters_go(name: str, kept: str) -> None:
    assert clean(name) == kept


def test_a_long_name_keeps_its_suffix() -> None:
    assert clean("字" * 300 + ".PNG") == "字" * (LONGEST - 4) + ".PNG"
    assert clean("字" * 300) == "字" * LONGEST
    assert len(resized("字" * 300 + ".png", "300x200", ".jpg")) == LONGEST


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("cat.PNG", ".png"), ("a.tar.gz", ".gz"), (".profile", ""), ("cat", ""), ("cat.", ""), ("cat.p g", ""), ("cat.猫", ""),
        ("cat.%2e", ""), ("cat.abcdefghijk", ""), ("a.html", ".html"),
    ],
)  # fmt: skip
def test_only_what_is_safe_in_an_address_is_a_suffix(name: str, end: str) -> None:
    assert suffix(name) == end


def test_a_copy_of_another_size_says_so() -> None:
    assert resized("cat.png", "300x200", ".jpg") == "cat-300x200.jpg"
    assert resized("cat", "300x200", "") == "cat-300x200"
