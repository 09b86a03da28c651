"""Lines of access logs: what they say, and what is said of those that say nothing."""

import json
import re
import time
from io import BytesIO
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay import access_logs
from replay.access_logs import Entry, NoEntry, Refused, combined, nginx
from settings import ROOT

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


def test_a_line_of_brackets_is_refused_as_fast_as_any() -> None:
    began = time.process_time()

    with pytest.raises(NoEntry):
        combined("a b " + "[" * 60_000)

    assert time.process_time() - began < 10  # quadratic, it took more than a minute


def test_a_log_without_ends_of_line_is_read_in_pieces() -> None:
    file = BytesIO(b"x" * 1_000_000 + b"\n" + APACHE.encode() + b"\n" + b"y" * 300_000)

    pieces = list(access_logs.lines(file))
    found = list(access_logs.entries(pieces, "combined", refused := Refused()))

    assert [len(one) for one in pieces] == [access_logs.LONGEST + 1, len(APACHE) + 1, access_logs.LONGEST + 1]
    assert len(found) == 1
    assert refused.counts == {"longer than any request": 2}


@pytest.mark.parametrize(
    "changes", [{"seconds": 1e300}, {"seconds": -1}, {"bytes": 10**26}, {"ended": -5}, {"ended": 1e15}]
)
def test_numbers_that_cannot_be_are_no_numbers(changes: dict[str, object]) -> None:
    with pytest.raises(NoEntry, match="not a line"):
        ours(**changes)


def test_the_log_that_our_nginx_writes_is_the_one_that_is_read() -> None:
    """By the format in deploy/nginx.conf, each variable with what stands for it."""
    (told,) = re.findall(
        r"log_format plaza escape=json ((?:'[^']*'\s*)+);", (ROOT / "deploy" / "nginx.conf").read_text()
    )
    line = re.sub(r"'\s*'", "", told).strip("'")
    said = {"status": "200", "msec": "1796070521.123", "request_time": "0.004", "body_bytes_sent": "512", "request_method": "GET",
            "logged_uri": "/", "time_iso8601": "2026-11-29T20:28:41+00:00"}  # fmt: skip
    for name in sorted(re.findall(r"\$(\w+)", line), key=len, reverse=True):
        line = line.replace(f"${name}", said.get(name, "x"))

    assert nginx(line).at_us == 1_796_070_521_123_000


def test_a_path_that_looks_like_a_host_is_a_path() -> None:
    assert combined(APACHE.replace("/a?b=c", "//evil/x#y")).target == "/evil/x"
