"""Lines of access logs: what they say, and what is said of those that say nothing."""

import json
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay import access_logs
from replay.access_logs import Entry, NoEntry, Refused, combined, nginx

APACHE = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203023 "http://x.example/?q=me" "Mozilla/5.0 (X11)"'
OURS = {
    "at": "2026-11-29T20:28:41+00:00", "ended": 1796070521.123, "address": "10.9.8.7", "method": "GET", "path": "/blog/1-a",
    "status": 200, "bytes": 512, "seconds": 0.004, "referrer": "", "agent": "curl/8", "cache": "HIT",
}  # fmt: skip
SECOND = 1_000_000


def ours(**changes: object) -> Entry:
    return nginx(json.dumps(OURS | changes))


def test_a_line_of_apache_is_read() -> None:
    assert combined(APACHE) == Entry(
        1_431_857_103 * SECOND, False, True, 0, "10.0.0.1", "Mozilla/5.0 (X11)", "http://x.example/?q=me", "GET", "/a?b=c", 200,
        203023,
    )  # fmt: skip


def test_a_line_without_referrer_and_agent_is_read_as_well() -> None:
    entry = combined('::1 - frank [17/May/2015:10:05:03 +0200] "HEAD / HTTP/1.0" 304 -')

    assert (entry.method, entry.status, entry.length, entry.agent, entry.address) == ("HEAD", 304, 0, "", "::1")
    assert entry.at_us == (1_431_857_103 - 7200) * SECOND


def test_a_quoted_quote_ends_nothing() -> None:
    entry = combined(APACHE.replace("Mozilla/5.0 (X11)", 'say \\"hi\\" \\x41\\t1'))

    assert entry.agent == 'say "hi" A 1'


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("GET /a?b=c HTTP/1.1", "-"), "not a request of HTTP/1"),
        (("GET /a?b=c HTTP/1.1", "\\x16\\x03\\x01"), "not a request of HTTP/1"),
        (("GET /a?b=c", "get /a"), "not a method of HTTP"),
        (("/a?b=c", "*"), "its address is no path"),
        (("/a?b=c", "//[x"), "its address is no path"),
        (("17/May", "17/Mai"), "without a time"),
        (("17/May", "31/Feb"), "without a time"),
        (("+0000", "+9900"), "without a time"),
        ((" 200 ", " 2000 "), "not in combined format"),
        ((" 200 ", " 999 "), "without a status"),
        (("[", ""), "not in combined format"),
    ],
)
def test_a_line_that_does_not_fit_has_a_reason(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(NoEntry, match=reason.replace("/", "\\/")):
        combined(APACHE.replace(*change))


def test_a_line_of_our_nginx_tells_when_it_ended_to_the_millisecond() -> None:
    entry = ours()

    assert (entry.at_us, entry.ended, entry.whole_second) == (1_796_070_521_123_000, True, False)
    assert (entry.took_us, entry.level, entry.target) == (4000, "HIT", "/blog/1-a")


def test_a_log_of_before_has_whole_seconds() -> None:
    older = {name: value for name, value in OURS.items() if name != "ended"}

    entry = nginx(json.dumps(older))

    assert (entry.at_us, entry.whole_second) == (1_795_984_121 * SECOND, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"method": "", "path": ""}, "a connection without a request"), ({"seconds": "-"}, "not a line of Plaza"),
        ({"status": 0}, "without a status"), ({"path": "x"}, "its address is no path"), ({"ended": 1e400}, "not a line"),
        ({"method": None}, "not a method"),
    ],
)  # fmt: skip
def test_a_line_of_nginx_that_does_not_fit_has_a_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(NoEntry, match=reason):
        ours(**changes)


def test_bytes_that_are_no_ascii_are_asked_as_they_were() -> None:
    raw = "/blog/1-\u4f60 \xff".encode()
    line = APACHE.encode().replace(b"/a?b=c", raw)

    (entry,) = access_logs.entries([line], "combined", Refused())

    assert entry.target.isascii()
    assert unquote_to_bytes(entry.target) == raw


def test_what_does_not_fit_is_counted_with_its_first_examples() -> None:
    refused = Refused()
    lines = [APACHE.encode(), *[b"nonsense \x1b[31m %d" % n for n in range(9)], b"", b"x" * 70_000, b"\xff\x00"]

    found = list(access_logs.entries(lines, "combined", refused))

    assert len(found) == 1
    assert refused.counts == {"not in combined format": 10, "longer than any request": 1}
    assert refused.examples["not in combined format"][0] == "line 2: nonsense  [31m 0"
    assert len(refused.examples["not in combined format"]) == access_logs.EXAMPLES


@given(st.binary(max_size=300), st.sampled_from(["nginx", "combined"]))
def test_no_line_is_an_error(line: bytes, kind: str) -> None:
    list(access_logs.entries([line], kind, Refused()))


@given(st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1")))
def test_what_is_read_can_be_sent(text: str) -> None:
    """In any place of a line; a header or an address that breaks a request in two would be another request."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    for line in (
        APACHE.replace("Mozilla", quoted),
        APACHE.replace("/a?b=c", f"/{quoted}"),
        APACHE.replace("x.ex", quoted),
    ):
        try:
            entry = combined(line)
        except NoEntry:
            continue
        assert entry.target.startswith("/")
        assert all(" " < letter < "\x7f" for letter in entry.target)
        assert not set("\r\n\0") & set(entry.agent + entry.referrer)
