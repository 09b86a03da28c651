"""Addresses from titles, and text cut to length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.slugs import LONGEST_SLUG, excerpt, slug


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Hello, World! 1.0", "hello-world-1-0"),
        ("基于 Seata Saga 设计更有弹性的金融应用", "基于-seata-saga-设计更有弹性的金融应用"),
        ("Ünïcode & Straße", "ünïcode-straße"),
        ("  ../../etc/passwd?a#b ", "etc-passwd-a-b"),
        ("???", "post"),
        ("", "post"),
        ("中" * 100, "中" * LONGEST_SLUG),
    ],
)
def test_a_slug_keeps_letters_of_every_script(title: str, words: str) -> None:
    assert slug(title) == words


@given(st.text())
def test_a_slug_is_a_clean_piece_of_an_address(title: str) -> None:
    words = slug(title)

    assert 1 <= len(words) <= LONGEST_SLUG
    assert not set(words) & set("/?#%&<>\"' \t\n\\")
    assert slug(words) == words


@pytest.mark.parametrize(
    ("text", "n", "cut"),
    [
        ("short  text\n here", 20, "short text here"),
        ("hello world foo bar", 14, "hello world…"),
        ("hello, world", 8, "hello…"),
        ("四层缓存，一个真相。", 5, "四层缓存…"),
        ("a" * 50, 10, "a" * 9 + "…"),
        ("", 10, ""),
    ],
)
def test_text_is_cut_between_words(text: str, n: int, cut: str) -> None:
    assert excerpt(text, n) == cut


@given(st.text(), st.integers(1, 50))
def test_a_cut_is_never_longer_than_asked(text: str, n: int) -> None:
    assert len(excerpt(text, n)) <= n
