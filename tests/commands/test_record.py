"""`plaza record` beside a real site: it begins, ends and breaks, and the site goes on."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands import record as command_record
from commands.replaying import scrub
from replay import reading
from tests.commands.instances import PLAZA, Instance

PATIENCE = 60.0  # s


def until(claim: Callable[[], object]) -> None:
    latest = time.monotonic() + PATIENCE
    while not claim():
        assert time.monotonic() < latest
        time.sleep(0.05)


@contextmanager
def recording(site: Instance, path: Path, *options: str, processes: int = 2) -> Iterator["subprocess.Popen[str]"]:
    """Once all web processes have come; what it says can be read when it has ended."""
    with site.started("record", "--out", str(path), *options) as process:
        try:
            until(lambda: process.poll() is not None or joined(site) >= processes)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)


def joined(site: Instance) -> int:
    """How many connections there are at the recorder's socket, besides its own."""
    listening = f"{site.settings.run}/record.sock~"  # the name that it was bound to
    return sum(line.endswith(listening) and " 03 " in line for line in Path("/proc/net/unix").read_text().splitlines())


def test_what_visitors_ask_is_recorded_until_ctrl_c(site: Instance, tmp_path: Path) -> None:
    path = tmp_path / "a.rec.jsonl.gz"
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    with recording(site, path) as process:
        for number in range(5):
            site.get(f"/about?n={number}")
            site.ask("POST", "/signin", body=b"email=bob%40example.org&password=not%20this%20one", headers=form)
        site.get("/healthz")
        style = site.get("/about").text.partition('href="/static/')[2].partition('"')[0]
        site.get(f"/static/{style}")
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=PATIENCE)

    found = reading.read(path)
    assert (process.returncode, wrong) == (0, "")
    assert f"{len(found.requests)} requests of 1 sessions" in said
    assert not found.cut
    assert [one.method for one in found.requests].count("POST") == 5
    assert f"/static/{style}" in [one.target for one in found.requests]
    assert "/healthz" not in [one.target for one in found.requests]
    assert {one.session for one in found.requests} == {"s1"}
    assert found.header.base_url == site.settings.site_url
    assert CliRunner().invoke(scrub.command, ["--check", str(path)]).exit_code == 0
    assert (site.var / "secrets" / "captures" / found.header.key_id).stat().st_mode & 0o777 == 0o600


def test_it_ends_by_itself_and_overwrites_nothing(site: Instance, tmp_path: Path) -> None:
    path = tmp_path / "a"

    first = site.plaza("record", "--out", str(path), "--duration", "1s", "--snapshot", "monday.plaza")
    again = site.plaza("record", "--out", str(path), "--duration", "1s")
    forced = site.plaza("record", "--out", str(path), "--duration", "1s", "--force", "--sample", "12.5%")

    assert first.returncode == 0, first.stderr
    assert again.returncode == 2
    assert "is there already; --force" in again.stderr
    assert forced.returncode == 0, forced.stderr
    assert reading.read(path).header.sampling == "12.5% of sessions"


def test_a_second_recorder_is_refused(site: Instance, tmp_path: Path) -> None:
    with recording(site, tmp_path / "a"):
        second = site.plaza("record", "--out", str(tmp_path / "b"), "--duration", "1s")

    assert (second.returncode, second.stderr.strip()) == (1, "✗ another plaza record is under way")
    assert not (tmp_path / "b").exists()


def test_a_recorder_that_is_killed_leaves_what_it_has_and_the_site_goes_on(site: Instance, tmp_path: Path) -> None:
    with recording(site, tmp_path / "a") as process:
        until(lambda: site.get("/about").status == 200 and len(reading.read(tmp_path / "a").requests) >= 1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    assert [site.get("/about").status for _ in range(20)] == [200] * 20

    found = reading.read(tmp_path / "a")
    with recording(site, tmp_path / "b"):
        site.get("/signin")

    assert found.cut
    assert len(found.requests) >= 1
    assert [one.target for one in reading.read(tmp_path / "b").requests] == ["/signin"]


def test_one_that_is_killed_before_it_takes_the_place_of_another_stands_beside_it(
    site: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    assert site.plaza("record", "--out", str(path), "--duration", "1s").returncode == 0
    with recording(site, path, "--force") as process:
        until(lambda: site.get("/about").status == 200 and len(reading.read(tmp_path / "a~").requests) >= 1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    again = site.plaza("record", "--out", str(path), "--duration", "1s", "--force")

    assert not reading.read(path).cut
    assert len(reading.read(tmp_path / "a~").requests) >= 1
    assert (again.returncode, f"{path}~ is there" in again.stderr) == (2, True)


def test_where_nothing_can_be_put_it_says_so_and_leaves_what_is_there(site: Instance, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    for place, why in ((pipe, "is no regular file"), (tmp_path / "no" / "a", "No such file or directory")):
        told = site.plaza("record", "--out", str(place), "--duration", "1s", "--force")
        assert told.returncode == 2
        assert why in told.stderr
        assert "Traceback" not in told.stderr

    assert pipe.is_fifo()
    assert [one.name for one in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.long
def test_a_full_disk_ends_the_recording_and_not_the_site(site: Instance, tmp_path: Path) -> None:
    path = tmp_path / "a"

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # as the kernel says it of a full disk: no more bytes
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLAZA_")}
    with subprocess.Popen(
        [PLAZA, "record", "--out", str(path)], env=environment | {"PLAZA_VAR": str(site.var), "NO_COLOR": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=small,
    ) as process:  # fmt: skip
        until(lambda: joined(site) >= 2)
        number = 0
        while process.poll() is None:
            number += 1
            assert site.get(f"/search?q={os.urandom(400).hex()}").status == 200
            assert number < 3000
        said = process.stderr.read() if process.stderr else ""

    assert process.returncode == 1
    assert "recording has stopped, the site goes on" in said
    assert reading.read(path).cut
    assert len(reading.read(path).requests) > 2
    assert site.get("/about").status == 200


@pytest.mark.long
def test_web_processes_that_are_new_join_by_themselves(site: Instance, tmp_path: Path) -> None:
    with recording(site, tmp_path / "a"):
        before = {row["pid"] for name, row in site.processes().items() if name.startswith("web")}
        with site.under_load(2) as seen:
            assert site.plaza("restart").returncode == 0
        until(lambda: joined(site) >= 2)
        for _ in range(8):
            site.get("/account?after=restart")

    after = {row["pid"] for name, row in site.processes().items() if name.startswith("web")}
    found = reading.read(tmp_path / "a").requests
    assert not before & after
    assert set(seen) <= {"GET 2xx", "POST 4xx"}
    assert [one.target for one in found].count("/account?after=restart") == 8
    assert [one.t_us for one in found] == sorted(one.t_us for one in found)


def test_what_is_asked_wrongly_is_said(site: Instance, tmp_path: Path) -> None:
    for options in (["--sample", "0%"], ["--sample", "much"], ["--duration", "soon"], ["--max-body", "1G"], []):
        told = CliRunner().invoke(
            command_record.command, options if not options else ["--out", str(tmp_path / "a"), *options]
        )
        assert told.exit_code == 2, options
    assert not (tmp_path / "a").exists()


def test_without_a_site_it_says_so(fresh: Instance, tmp_path: Path) -> None:
    done = fresh.plaza("record", "--out", str(tmp_path / "a"))

    assert done.returncode == 1
    assert "start it with: plaza up" in done.stderr
