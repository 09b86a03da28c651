"""File names come back as people gave them, but for what no file name has."""

from urllib.parse import unquote

import pytest

from content.filenames import LONGEST, clean, disposition, resized, suffix, with_suffix


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
        ("photo\u202egpj.exe", "photogpj.exe"), ("\u2067قطة\u2069.pdf", "قطة.pdf"),
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


def test_what_it_is_may_change() -> None:
    assert with_suffix("cat.bmp", ".png") == "cat.png"
    assert with_suffix("cat", ".png") == "cat.png"
    assert len(with_suffix("字" * 255, ".png")) == LONGEST


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("cat.png", 'inline; filename="cat.png"'),
        ("a b (1).txt", 'inline; filename="a b (1).txt"'),
        ("猫.png", "inline; filename=\"_.png\"; filename*=UTF-8''%E7%8C%AB.png"),
        ("café.txt", "inline; filename=\"cafe_.txt\"; filename*=UTF-8''caf%C3%A9.txt"),
        ('a"b\\c%22.txt', "inline; filename=\"c_22.txt\"; filename*=UTF-8''c%2522.txt"),
        ("it's.txt", 'inline; filename="it\'s.txt"'),
    ],
)
def test_a_name_in_a_header_is_understood_by_old_and_new_programs(name: str, header: str) -> None:
    assert disposition("inline", name) == header


@pytest.mark.parametrize(
    "name", ["猫.png", "قطة صغيرة.pdf", "🐈‍⬛.gif", "a'b;c,d=e.txt", "100% «ü».csv", 'say "hi".txt']
)
def test_a_name_in_any_language_comes_back_unchanged_from_a_header(name: str) -> None:
    header = disposition("attachment", name)
    plain, _, exact = header.partition("; filename*=UTF-8''")

    assert header.isascii()
    assert (unquote(exact, errors="strict") if exact else plain.split('"')[1]) == name


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x=1", "photo\u202egpj.exe", "a\u2066b\u2069", "\x00\x1b[2J", '"; filename="b']
)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    header = disposition("attachment", name)

    assert header.isprintable()
    assert header.count('"') == 2
    assert "%E2%80%AE" not in header
    assert "%E2%81%A6" not in header


def test_the_plain_form_is_short_and_is_no_path() -> None:
    assert len(disposition("inline", "\ufdfa" * 251 + ".txt")) < 2500
    assert disposition("inline", "a" * 200 + ".txt").startswith(f'inline; filename="{"a" * 96}.txt"; ')
    assert disposition("inline", "\u2100\uff0f\uff3cb").startswith('inline; filename="a_c__b"; ')
