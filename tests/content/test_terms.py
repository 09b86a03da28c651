"""Words of a text, words of a query, and the marks in what was found."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content import terms as rules
from content.marking import marked, plain
from content.queries import LONGEST, MOST_TERMS, parse
from content.terms import LAST_PLACE, LONGEST_TERM, TITLE, fold, postings, spots, tokens


def terms(text: str) -> list[str]:
    return [token.term for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Running the Borrow-Checkers", ["run", "the", "borrow", "checker"]),
        ("don’t don't", ["dont", "dont"]),
        ("Café ＣＡＦＥ cafe\u0301", ["cafe", "cafe", "cafe"]),
        ("C++ c# F# C", ["c++", "c#", "f#", "c"]),
        ("v1.85.0", ["v1", "85", "0"]),
        ("锁", ["锁"]),
        ("分布式", ["分", "分布", "布", "布式", "式"]),
        ("Rust语言", ["rust", "语", "语言", "言"]),
        ("ひらがな", ["ひ", "ひら", "ら", "らが", "が", "がな", "な"]),
        ("!!! 🎉 ---", []),
        ("x" * 500, ["x" * LONGEST_TERM]),
        ("snake_case", ["snake", "case"]),
    ],
)
def test_a_text_is_its_words(text: str, found: list[str]) -> None:
    assert terms(unicodedata.normalize("NFC", text)) == found


def test_titles_weigh_most_then_frequency_by_doublings() -> None:
    found = postings("Cache", ("cache cache cache cache word",), ("#tag",))

    assert found["cach"].weight == TITLE + 3  # five times
    assert found["word"].weight == 1
    assert found["#tag"] == (0, b"")


def test_places_do_not_join_the_title_and_the_body() -> None:
    found = postings("one two", ("three four",))
    one, two, three, four = (min(spots(found[fold(word)].places)) for word in ("one", "two", "three", "four"))

    assert (two - one, four - three) == (1, 1)
    assert three - two > 1


def test_a_book_is_held_to_its_first_words() -> None:
    found = postings("", (" ".join(f"w{n}" for n in range(70_000)),))

    assert len(found) == rules.MOST_TERMS
    assert max(spots(postings("", ("end " * (LAST_PLACE + 9) + "",))["end"].places)) < 200


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_has_terms_that_the_column_can_hold_and_spans_that_are_in_it(text: str) -> None:
    for token in tokens(text):
        assert 0 < len(token.term) <= LONGEST_TERM
        assert 0 <= token.start < token.end <= len(text)
    assert all(0 < posting.weight < 2 * TITLE for posting in postings(text, (text,)).values())


@given(st.text(max_size=400))
def test_any_text_is_a_query_of_bounded_size(text: str) -> None:
    query = parse(text)

    assert len(query.terms) + len(query.tags) + len(query.authors) <= MOST_TERMS
    assert all(term in query.terms for phrase in query.phrases for term, _ in phrase)
    assert "".join(piece for piece, _ in marked(text, query.marks, None)) == text


def test_a_query_is_words_phrases_and_labels() -> None:
    query = parse('Borrow "the checker" tag:Rust author:"Niko M" 标签：缓存 作者:季敏 std::vec')

    assert query.terms == ("borrow", "the", "checker", "std", "vec")
    assert query.phrases == ((("the", 0), ("checker", 1)), (("std", 0), ("vec", 1)))
    assert (query.tags, query.authors) == (("Rust", "缓存"), ("Niko M", "季敏"))


def test_a_dense_run_asks_for_the_pairs_that_cover_it() -> None:
    assert parse("分布式事务").terms == ("分布", "式事", "事务")
    assert parse("锁").terms == ("锁",)
    assert parse("“分布式”").phrases == ((("分布", 0), ("布式", 1)),)


@pytest.mark.parametrize("text", ["", "   ", "!!!", '"', '""', "tag:", 'tag:""', "🎉", "%_\\", "' OR 1=1 --", "\x00"])
def test_hostile_and_empty_queries_ask_for_little(text: str) -> None:
    query = parse(text)

    assert len(query.terms) <= 3
    assert not query.left_out


def test_too_many_words_are_left_out_by_name() -> None:
    query = parse(" ".join(string.ascii_lowercase))

    assert len(query.terms) == MOST_TERMS
    assert query.left_out[:2] == ("m", "n")
    assert parse("a " * LONGEST).left_out


def test_the_part_with_most_of_the_words_is_shown() -> None:
    text = "Nothing here. " * 30 + "The borrow checker checks what is borrowed. " + "Nothing there. " * 30
    pieces = marked(text, parse("borrow checker").marks, 120)

    assert [piece for piece, hit in pieces if hit] == ["borrow", "checker", "borrowed"]
    assert pieces[0] == pieces[-1] == ("…", False)
    assert len("".join(piece for piece, _ in pieces)) <= 122


def test_chinese_is_marked_as_it_was_typed() -> None:
    assert marked("Seata 是分布式事务框架", parse("分布式事务").marks, None) == [
        ("Seata 是", False),
        ("分布式事务", True),
        ("框架", False),
    ]


def test_a_text_without_the_words_has_no_excerpt() -> None:
    assert marked("word " * 100, ("absent",)) == []


def test_html_becomes_a_line_of_text() -> None:
    html = '<h2 id="a">A <a class="anchor" href="#a">#</a></h2><p>x &lt;&amp; <em>y</em>z<br>q</p><img alt="a > b"><p>end</p>'

    assert plain(html) == "A x <& yz q end"
