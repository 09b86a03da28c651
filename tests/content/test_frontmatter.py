"""The head of a Markdown file."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.frontmatter import BadFrontMatter, parse


def test_toml_between_plus_lines() -> None:
    assert parse('+++\ntitle = "A"\n[extra]\nn = 1\n+++\n\nBody\n+++\n') == (
        {"title": "A", "extra": {"n": 1}},
        "Body\n+++\n",
    )


def test_yaml_between_minus_lines() -> None:
    assert parse("---\ntitle: 标题\ndate: 2020-04-28\n---\n# 正文\n") == (
        {"title": "标题", "date": date(2020, 4, 28)},
        "# 正文\n",
    )


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert parse("\ufeff---\r\ntitle: A\r\n---\r\nBody\r\n") == ({"title": "A"}, "Body\n")


@pytest.mark.parametrize("text", ["Body", "", "--- not a head", "---\nnever closed", "+++", "a\n---\nb\n---\n"])
def test_a_text_without_a_head_is_all_body(text: str) -> None:
    assert parse(text) == ({}, text)


def test_an_empty_head_has_no_fields() -> None:
    assert parse("---\n---\nBody") == ({}, "Body")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("+++\ntitle = \n+++\n", "not TOML"),
        ("---\na: [\n---\n", "not YAML"),
        ("---\n!!python/object:os.system x\n---\n", "not YAML"),
        ("---\ndate: 2024-02-31\n---\n", "not YAML"),
        ("---\n- a\n---\n", "not a list of names and values"),
    ],
)
def test_a_head_that_cannot_be_read_is_an_error_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadFrontMatter, match=reason) as caught:
        parse(text)

    assert "\n" not in str(caught.value)


@given(st.text(), st.sampled_from(["+++", "---"]))
def test_any_head_is_read_or_refused(head: str, fence: str) -> None:
    try:
        fields, body = parse(f"{fence}\n{head}\n{fence}\nBody")
    except BadFrontMatter:
        return

    assert body.endswith("Body")
    assert all(isinstance(name, str) for name in fields)
