"""`plaza restart` under load: no request fails, POSTs included."""

import time
from pathlib import Path

import pytest

from tests.commands.instances import Instance

ANSWERED = {"GET 2xx", "POST 4xx"}  # a sign-in of nobody is refused; what counts is that it is answered


def pids(instance: Instance) -> dict[str, int]:
    return {name: row["pid"] for name, row in instance.processes().items()}


def restarted_under_load(instance: Instance) -> None:
    before = pids(instance)

    with instance.under_load() as seen:
        time.sleep(0.3)
        done = instance.plaza("restart")
        time.sleep(0.3)

    after = pids(instance)
    assert done.returncode == 0, done.stderr
    assert "Nginx" not in done.stdout  # its configuration has not changed, so its connections are left alone
    assert set(seen) == ANSWERED, seen
    assert seen.total() > 100
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name in before if name.startswith("web") or name == "worker"}


def test_a_rolling_restart_fails_no_request(site: Instance) -> None:
    restarted_under_load(site)


def test_the_only_web_process_is_replaced_without_a_gap(deep: Instance) -> None:
    restarted_under_load(deep)


@pytest.mark.long
def test_each_of_three_is_missed_by_nobody(fresh: Instance) -> None:
    """Two others answer, so nobody stands in for it."""
    fresh.up("--web", "3")
    restarted_under_load(fresh)

    assert not list((fresh.var / "log").glob("beside-*"))


def test_a_changed_configuration_of_nginx_is_read(site: Instance) -> None:
    (site.var / "etc" / "nginx.conf").write_text("# somebody was here\n")

    done = site.plaza("restart")

    assert "Nginx reads its configuration again" in done.stdout
    assert site.get("/healthz").status == 200


def test_a_configuration_that_nginx_refuses_changes_nothing(site: Instance, tmp_path: Path) -> None:
    """Neither what it reads, should its master die, nor a process."""
    before, etc = pids(site), site.var / "etc"
    read = {path.name: path.read_bytes() for path in etc.glob("*.conf")}
    wrong = tmp_path / "no-certificate.pem"
    wrong.write_text("no certificate\n")
    (site.var / "plaza.toml").write_text(f'tls_cert = "{wrong}"\ntls_key = "{wrong}"\n')
    try:
        done = site.plaza("restart")
    finally:
        (site.var / "plaza.toml").unlink()

    assert done.returncode == 1
    assert "✗ all goes on as it was, for Nginx refuses its new configuration: " in done.stderr
    assert "no-certificate.pem" in done.stderr
    assert pids(site) == before
    assert {path.name: path.read_bytes() for path in etc.glob("*.conf")} == read


def test_what_is_not_up_is_not_restarted(fresh: Instance) -> None:
    done = fresh.plaza("restart")

    assert done.returncode == 1
    assert done.stderr.strip() == "✗ Plaza is not up; start it with: plaza up"


def test_a_process_that_no_longer_starts_is_told_and_the_others_go_on(fresh: Instance) -> None:
    fresh.up("--web", "2")
    (fresh.var / "static").rename(fresh.var / "elsewhere")
    (fresh.var / "static").touch()  # a web process cannot publish its files any more

    done = fresh.plaza("restart")

    assert done.returncode == 1
    assert "the other processes were left as they are" in done.stderr
    assert f"log: {fresh.var}/log/beside-0.log" in done.stderr
    assert fresh.get("/").status == 200
