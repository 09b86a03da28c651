"""What a log may hold."""

import json
import time
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from models.redaction import json_path, parameters, scrub
from models.traces import Sent

TOKEN = "vGKlAHRg5519qpKbUDqG0zFKOkT5pJ6QIZFhH-ixyas"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub"


def test_mail_addresses_hashes_tokens_and_passwords_in_urls_are_blotted_out() -> None:
    text = f"Duplicate entry 'alice@example.org' for {HASH} by {TOKEN} at mysql://plaza:geheim@db:3306/plaza"

    said = scrub(text)

    assert said == "Duplicate entry '<mail>' for <hash> by <token> at mysql://<secret>@db:3306/plaza"


def test_what_is_no_secret_stays() -> None:
    for text in (
        "/blog/12-a-slug-of-forty-characters-or-even-more-words",
        "/blog/7-分布式事务-模式",
        "models/posts.py:120 Posts.front",
        "5735a6cc10516849965ff8db2ff8f08c",
        "http://localhost:8450/page/2",
        "@",
    ):
        assert scrub(text) == text


def test_a_token_in_an_address_is_not_in_the_line_of_the_request() -> None:
    assert json.loads(json_path(f"/reset/{TOKEN}")) == "/reset/<token>"
    assert json.loads(json_path('/"\\\u2028')) == '/"\\\u2028'


def test_the_ticket_that_ends_notices_is_not_in_the_line_of_the_request() -> None:
    assert json.loads(json_path("/unsubscribe/12-b3d5dc8685abe05d1117ed90e7125d9c")) == "/unsubscribe/<token>"


def test_a_member_asked_for_by_address_is_not_named_in_a_span() -> None:
    assert str(Sent(("GET", b"plaza:user.email:al%40example.org"), 1)) == "GET plaza:user.email:…"
    assert str(Sent(("GET", b"p:user.email:a%40b.org"), 1)) == "GET p:user.email:…"


def test_what_strangers_send_is_looked_through_once() -> None:
    began = time.process_time()
    for hostile in ("a" * 200_000 + "@!", "a." * 100_000 + "@", "://" + "a:" * 100_000, "aB1-" * 50_000 + "!"):
        scrub(hostile)
    assert time.process_time() - began < 1.0


def test_numbers_and_times_are_shown_and_texts_as_their_column_allows() -> None:
    sql = (
        "SELECT id FROM posts p WHERE p.status = %s AND p.title LIKE %s AND p.slug IN %s AND author_id=%s AND at < %s "
        "AND token_sha256 = %s LIMIT %s"
    )
    at = datetime(2026, 11, 20, tzinfo=UTC)

    shown = parameters(sql, ("published", "secret plans", ("a", "b"), 7, at, b"\0" * 32, 10))

    assert shown == [
        "published",
        "<text of 12 characters>",
        ["a", "b"],
        7,
        "2026-11-20T00:00:00+00:00",
        "<32 bytes>",
        10,
    ]


def test_what_is_inserted_is_told_by_its_columns() -> None:
    sql = (
        "INSERT INTO users (email, name, status, created_at, password_hash) VALUES (%s, %s, %s, UTC_TIMESTAMP(6), %s) "
        "ON DUPLICATE KEY UPDATE slug = %s, email = %s"
    )

    shown = parameters(sql, ("a@b.org", "Alice", "draft", HASH, "a-slug", "a@b.org"))

    assert shown == [
        "<text of 7 characters>",
        "<text of 5 characters>",
        "draft",
        f"<text of {len(HASH)} characters>",
        "a-slug",
        "<text of 7 characters>",
    ]


def test_a_secret_in_a_column_that_is_shown_is_blotted_out_and_long_lists_are_cut() -> None:
    assert parameters("... WHERE term = %s", (f"alice@example.org {TOKEN}",)) == ["<mail> <token>"]
    assert parameters("... WHERE id IN %s", (tuple(range(100)),)) == [[*range(20), "<80 more>"]]


@given(st.text(max_size=200), st.lists(st.one_of(st.text(), st.binary(), st.integers(), st.none()), max_size=5))
def test_any_statement_and_any_parameters_make_a_line(sql: str, args: list[object]) -> None:
    assert len(json.loads(json.dumps(parameters(sql + " x = %s", tuple(args))))) == len(args)
