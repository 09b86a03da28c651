"""Which answers differ, beyond what differs by itself."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.differing import SENT, differences
from replay.hearing import Answers, Said, recorded
from replay.normal import fields, general
from replay.records import Answer, Request

PAGE = (
    "<html><title>{title}</title><script>var t={n}</script><body><p>Seen {n} times</p><p>{quote}</p>"
    "<a href=/blog/{n}-a>x</a></body>"
)
Saying = Callable[[int, random.Random], Said]


def passes(saying: Saying, chance: random.Random, asked: int = 40) -> Answers:
    return Answers({i: ("GET /x", saying(i, chance)) for i in range(asked)})


def compared(a: Saying, b: Saying, seed: int = 1, asked: int = 40) -> dict[str, float]:
    """In the order ABBA; share by field."""
    chance = random.Random(seed)
    first, second, third, last = (passes(one, chance, asked) for one in (a, b, b, a))
    return {one.what: one.share for one in differences((first, last), (second, third))}


def html(title: str = "Plaza", quotes: int = 1) -> Saying:
    def say(i: int, chance: random.Random) -> Said:
        page = PAGE.format(
            title=title, n=chance.randrange(9999), quote=f"quote {'abcdefghij'[chance.randrange(quotes)]}"
        )
        return {"status": "200", **{f"body {name}": told for name, told in fields("text/html", page.encode()).items()}}

    return say


def json_of(**values: object) -> Saying:
    """A value that is a function is asked anew each time."""

    def say(i: int, chance: random.Random) -> Said:
        return {"status": "200"} | {f"body /{k}": str(v(chance) if callable(v) else v) for k, v in values.items()}

    return say


def test_numbers_moments_and_scripts_of_a_page_do_not_count() -> None:
    assert compared(html(), html()) == {}


def test_a_changed_page_is_found_in_all_its_answers() -> None:
    assert compared(html(), html("Piazza")) == {"body text": 1.0}


def test_a_changed_line_is_found_beside_one_that_is_drawn_anew_each_time() -> None:
    found = compared(html(quotes=10), html("Piazza", quotes=10))

    assert found == {"body text": 1.0}
    assert compared(html(quotes=10), html(quotes=10)) == {}


@pytest.mark.parametrize("sides", [2, 3, 10, 10**9])
def test_a_field_that_is_all_noise_is_not_a_difference(sides: int) -> None:
    noisy = json_of(at=lambda chance: chance.randrange(sides), name="x")

    wrong = [seed for seed in range(60) if compared(noisy, noisy, seed)]

    assert len(wrong) <= 3


def test_of_a_noisy_answer_the_field_that_changed_is_told() -> None:
    a = json_of(at=lambda chance: chance.random(), items="3")
    b = json_of(at=lambda chance: chance.random(), items="4")

    assert compared(a, b) == {"body /items": 1.0}


def test_one_page_of_many_is_found() -> None:
    def one(i: int, chance: random.Random) -> Said:
        return {"status": "200", "header cache-control": "no-store" if i == 7 else "public"}

    assert compared(lambda i, chance: {"status": "200", "header cache-control": "public"}, one) == {
        "header cache-control": 1 / 40
    }


def test_what_changes_as_time_goes_by_is_not_held_against_b() -> None:
    def at(hour: str) -> Answers:
        return passes(lambda i, chance: {"status": "200", "body /hour": hour}, random.Random(1))

    assert differences((at("1"), at("3")), (at("1"), at("2"))) == []
    assert differences((at("1"), at("3")), (at("2"), at("2"))) == []


def test_of_another_status_the_status_is_told_alone() -> None:
    found = compared(html(), lambda i, chance: {"status": "500", "body text": "sorry"})

    assert found == {"status": 1.0}


def test_what_one_side_never_sent_is_told() -> None:
    whole, less = passes(html(), random.Random(1)), passes(html(), random.Random(1), asked=30)

    (found,) = differences((whole, whole_again := passes(html(), random.Random(2))), (less, less))

    assert (found.what, found.share) == (SENT, 0.25)
    assert whole_again.said


def test_against_what_was_recorded_only_what_is_known_of_it_counts() -> None:
    requests = [
        Request(i, i, "s", i, "GET", "/x", Answer(302, 1, location=f"/blog/{{{{post:{i}}}}}-a")) for i in range(20)
    ]
    known = recorded(requests)
    same = Answers(
        {i: ("GET /x", {"status": "302", "header location": "/blog/0-a", "body text": "h"}) for i in range(20)}
    )
    other = Answers({i: ("GET /x", {"status": "302", "header location": "/signin"}) for i in range(20)})
    torn = Answers({i: ("GET /x", {"status": "302", "header location": f"/{'ab'[i % 2]}"}) for i in range(20)})

    assert differences((known, known), (same, same)) == []
    (found,) = differences((known, known), (other, other))
    assert (found.what, found.expected, found.found) == ("header location", "/blog/0-a", "/signin")
    assert differences((known, known), (same, torn)) == []


def test_the_example_of_a_page_is_its_first_other_line() -> None:
    chance = random.Random(1)
    a, b = html(), html("Piazza")
    (found,) = differences((passes(a, chance), passes(a, chance)), (passes(b, chance), passes(b, chance)))

    assert (found.expected, found.found) == ("Plaza", "Piazza")


def test_values_of_json_stand_under_their_paths() -> None:
    told = fields("application/json; charset=UTF-8", b'{"items":[{"a/b":1,"c":"x"},{"c":[]}],"n":null}')

    assert told == {"/items/0/a~1b": "1", "/items/0/c": '"x"', "/items/1/c": "[]", "/n": "null"}
    assert {general(name) for name in told} == {"/items/*/a~1b", "/items/*/c", "/n"}


def test_what_is_read_of_a_page_is_the_same_where_numbers_moments_and_keys_differ() -> None:
    def of(page: str) -> dict[str, str]:
        return fields("text/html", page.encode())

    assert of(PAGE.format(title="a", n=1, quote="q")) == of(PAGE.format(title="a", n=22, quote="q"))
    assert of(PAGE.format(title="a", n=1, quote="q")) != of(PAGE.format(title="b", n=1, quote="q"))
    assert of("<p>0f3a9c1b2d4e 2026-11-29T10:00:00Z") == of("<p>1122aabbccdd 2025-01-02T11:12:13Z")
    assert of("<p>aB3-aB3-aB3-aB3-aB3-aB3") == of("<p>zY9_zY9_zY9_zY9_zY9_zY9") != of("<p>a-word-of-26-small-letters")


@settings(deadline=None)
@given(
    st.sampled_from(["text/html", "application/json", "application/atom+xml", "text/plain", "image/png", ""]),
    st.binary(max_size=400),
)
def test_no_body_is_an_error(content_type: str, body: bytes) -> None:
    assert all(isinstance(told, str) for told in fields(content_type, body).values())


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_the_same_answers_never_differ(told: object) -> None:
    said = {f"body {name}": value for name, value in fields("application/json", repr(told).encode()).items()}
    answers = Answers({1: ("GET /", {"status": "200"} | said)})

    assert differences((answers, answers), (answers, answers)) == []
