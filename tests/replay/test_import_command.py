"""`plaza replay import` and `inspect`: a real log, and what is wrong with one."""

import gzip
import json
import stat
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commands.replaying import import_, inspect
from replay import reading
from replay.mapping import kind_of
from replay.records import PLACEHOLDER
from tests.replay.small_site import Answer, small_site

TRAFFIC = Path(__file__).resolve().parents[3] / "shared" / "data" / "traffic" / "semicomplete-2015.access.log.gz"
needs_traffic = pytest.mark.skipif(not TRAFFIC.is_file(), reason=f"needs the log {TRAFFIC}")
HERE = [
    "/",
    "/feed.atom",
    "/static/site.css",
    "/static/icon.svg",
    "/tag/rust",
    "/robots.txt",
    *(f"/blog/{n}-post" for n in range(1, 300)),
]
LINE = '10.0.0.{who} - - [17/May/2015:10:05:{second:02} +0000] "GET {path} HTTP/1.1" 200 5 "-" "Firefox"\n'


def plaza(command: object, *words: object) -> Result:
    return CliRunner().invoke(command.command, [str(word) for word in words])  # type: ignore[attr-defined]


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    file = tmp_path / "addresses"
    file.write_text("\n".join(HERE))
    return file


@needs_traffic
def test_a_real_log_becomes_a_record_of_this_site(tmp_path: Path, addresses: Path) -> None:
    file = tmp_path / "blog.rec.jsonl.gz"

    done = plaza(import_, "combined", TRAFFIC, "--out", file, "--addresses", addresses)

    assert done.exit_code == 0, done.output
    recording = reading.read(file)
    assert not recording.cut
    assert recording.footer
    assert recording.footer.dropped == {"write without its body": 5}
    statuses = {"200": 9124, "301": 164, "206": 45, "304": 445, "403": 2, "404": 210, "416": 2, "500": 3}
    assert recording.footer.statuses == statuses
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    here, header = set(HERE), recording.header
    assert (header.source, header.clock) == ("combined", "+-500 ms")
    assert header.mapping["/blog/geekery/ssl-latency.html"].startswith("/blog/")
    for one in recording.requests:
        place = one.target.partition("?")[0]
        assert place not in here if one.answer.status == 404 else place in here, one.target
    assert Counter(kind_of(one.target) for one in recording.requests if one.answer.status != 404)["feed"] == 901
    assert "10.0.0." not in gzip.decompress(file.read_bytes()).decode()
    sessions = defaultdict(list)
    for one in recording.requests:
        sessions[one.session].append(one)
    assert len(sessions) > 2000
    for each in sessions.values():
        assert [one.k for one in each] == list(range(len(each)))
        assert all(b.t_us - a.t_us <= 30 * 60 * 1_000_000 for a, b in pairwise(each))


@needs_traffic
def test_the_same_log_keeps_its_order_and_times(tmp_path: Path) -> None:
    """Without a mapping the addresses are those of the log."""
    files = [tmp_path / name for name in ("one", "two")]
    for file in files:
        assert plaza(import_, "combined", TRAFFIC, "--out", file).exit_code == 0

    # Names that look like keys are placeholders, under another key each time.
    one, two = (
        [(r.t_us, r.method, PLACEHOLDER.sub("", r.target), r.after) for r in reading.requests(file)] for file in files
    )

    assert one == two
    assert {target for _, _, target, _ in one} >= {"/favicon.ico", "/blog/tags/puppet?flav=rss20"}


def test_the_site_itself_tells_where_its_pages_are(tmp_path: Path) -> None:
    log, file = tmp_path / "access.log", tmp_path / "f"
    log.write_text("".join(LINE.format(who=n, second=n, path=f"/{n % 2}.html") for n in range(9)) + "nonsense\n")

    def answer(path: str) -> Answer:
        if path == "/sitemap.xml":
            return 200, "application/xml", "<urlset><url><loc>https://x.example/blog/7-seven</loc></url></urlset>"
        return 404, "text/html", ""

    with small_site(answer) as site:
        done = plaza(import_, "combined", log, "--out", file, "--target", site.url)

    assert done.exit_code == 0, done.output
    assert {one.target for one in reading.requests(file)} == {"/blog/7-seven"}
    assert "1 line: not in combined format" in done.output
    assert "line 10: nonsense" in done.output
    assert reading.read(file).footer.dropped == {"not in combined format": 1}  # type: ignore[union-attr]


def test_a_log_of_ours_from_standard_input(tmp_path: Path) -> None:
    line = {"ended": 1796070521.5, "at": "2026-11-29T20:28:41+00:00", "address": "10.9.8.7", "method": "GET", "path": "/",
            "status": 200, "bytes": 5, "seconds": 0.25, "agent": "curl", "referrer": "", "cache": "HIT"}  # fmt: skip
    text = "".join(json.dumps(line | {"ended": line["ended"] + n}) + "\n" for n in range(3))  # type: ignore[operator]

    done = CliRunner().invoke(import_.command, ["nginx", "-", "--out", str(tmp_path / "f")], input=text)

    assert done.exit_code == 0, done.output
    recording = reading.read(tmp_path / "f")
    assert recording.header.clock == "+-2 ms"
    assert recording.header.started_ns == 1796070521_250_000_000
    assert [one.t_us for one in recording.requests] == [0, 1_000_000, 2_000_000]
    assert recording.requests[0].answer.total_us == 250_000
    assert recording.requests[0].answer.level == "HIT"


def test_what_is_wrong_with_a_log_is_told_in_a_line(tmp_path: Path, addresses: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "f"
    log.write_text("nonsense\n")

    nothing = plaza(import_, "combined", log, "--out", file)
    assert (nothing.exit_code, "holds no request" in nothing.output) == (2, True)
    assert not file.exists()

    log.write_text(LINE.format(who=1, second=1, path="/"))
    assert plaza(import_, "combined", log, "--out", file, "--map", "popularity").exit_code == 2
    assert plaza(import_, "combined", log, "--out", file, "--target", "x", "--addresses", addresses).exit_code == 2
    assert plaza(import_, "apache", log, "--out", file).exit_code == 2
    gone = plaza(import_, "combined", log, "--out", file, "--target", "http://127.0.0.1:1")
    assert (gone.exit_code, "does not answer" in gone.output) == (2, True)
    file.write_text("mine")
    mine = plaza(import_, "combined", log, "--out", file)
    assert (mine.exit_code, "--force" in mine.output) == (2, True)
    assert file.read_text() == "mine"
    assert plaza(import_, "combined", log, "--out", file, "--force").exit_code == 0
    nowhere = plaza(import_, "combined", log, "--out", tmp_path / "no" / "f")
    assert (nowhere.exit_code, "there is no folder" in nowhere.output) == (2, True)
    (tmp_path / "link").symlink_to(file)
    link = plaza(import_, "combined", log, "--out", tmp_path / "link", "--force")
    assert (link.exit_code, "is no regular file" in link.output) == (2, True)


def test_of_a_log_that_was_cut_off_what_is_there_is_taken(tmp_path: Path) -> None:
    whole = gzip.compress("".join(LINE.format(who=n % 9, second=n % 60, path=f"/{n}") for n in range(5000)).encode())
    log = tmp_path / "log.gz"
    log.write_bytes(whole[: len(whole) // 2])

    done = plaza(import_, "combined", log, "--out", tmp_path / "f")

    assert done.exit_code == 0
    assert "cut off or damaged" in done.output
    assert 100 < len(list(reading.requests(tmp_path / "f"))) < 5000


def test_inspect_tells_what_is_in_a_file(tmp_path: Path, addresses: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "f"
    log.write_text("".join(LINE.format(who=n % 3, second=n, path=f"/{n}.html") for n in range(0, 60, 2)))
    assert plaza(import_, "combined", log, "--out", file, "--addresses", addresses).exit_code == 0

    shown, told = plaza(inspect, file), json.loads(plaza(inspect, file, "--json").output)

    assert shown.exit_code == 0
    assert "30 in 3 sessions" in shown.output
    assert "GET /blog/<n>-<slug>" in shown.output
    assert (told["requests"], told["sessions"], told["mapped"], told["cut"]) == (30, 3, 30, False)
    assert told["peaks"]["1000"] == 30
    assert told["routes"] == {"GET /blog/<n>-<slug>": 30}


def test_inspect_says_loudly_that_a_file_was_cut_off_and_in_a_line_that_it_is_none(tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "f"
    log.write_text("".join(LINE.format(who=n % 3, second=n % 60, path=f"/{n}") for n in range(3000)))
    assert plaza(import_, "combined", log, "--out", file).exit_code == 0
    file.write_bytes(file.read_bytes()[:-2000])

    cut, none = plaza(inspect, file), plaza(inspect, log)

    assert "was cut off" in cut.output
    assert "requests" in cut.output
    assert none.exit_code == 2
    assert none.output.strip() == f"✗ {log} is no record file: it is not gzip"
