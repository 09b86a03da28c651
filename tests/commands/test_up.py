"""`plaza up`, `down` and `status`, as somebody at the keyboard meets them."""

import json
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pymysql
import pytest

from commands.console import Trouble
from commands.embedded import root_address
from commands.places import make_folders, nginx_user
from tests.commands.instances import Instance


def one_line(instance: Instance, *arguments: str) -> str:
    """What a failing `up` says: one line, then the name of a log file that is there. The line."""
    done = instance.plaza("up", *arguments)
    lines = done.stderr.strip().splitlines()

    assert done.returncode == 1, done.stdout
    assert len(lines) == 2, done.stderr
    assert Path(lines[1].split("log: ", 1)[1]).is_file()
    return lines[0]


def test_a_second_up_says_that_it_is_up(site: Instance) -> None:
    again = site.plaza("up", "--port", str(site.port))

    assert again.returncode == 0
    assert f"Plaza is up at http://localhost:{site.port}/" in again.stdout


def test_status_tells_every_process_in_supervisors_words(site: Instance) -> None:
    done = site.plaza("status", "--json")

    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(told) == {"url", "processes"}
    assert told["url"] == f"http://localhost:{site.port}"
    assert {row["name"] for row in told["processes"]} == {
        "events", "mariadb", "nginx", "redis", "web-0", "web-1", "worker",
    }  # fmt: skip
    for row in told["processes"]:
        assert set(row) == {"name", "state", "pid", "socket"}
        assert row["state"] == "RUNNING"
        assert isinstance(row["pid"], int)
        assert row["socket"] is None or Path(row["socket"]).is_socket()


def test_two_instances_run_side_by_side(site: Instance, deep: Instance) -> None:
    assert site.plaza("status").returncode == 0
    assert deep.plaza("status").returncode == 0
    assert site.processes()["web-0"]["socket"] != deep.processes()["web-0"]["socket"]


def test_a_deep_folder_has_its_sockets_elsewhere(deep: Instance) -> None:
    socket_path = deep.processes()["mariadb"]["socket"]

    assert len(str(deep.var)) > 107
    assert len(socket_path) <= 107
    assert Path(socket_path).parent.stat().st_mode & 0o007 == 0


def test_nothing_listens_on_the_network_but_nginx(site: Instance) -> None:
    """Ports in the state LISTEN (0A) that belong to the instance's session."""
    pids = {row["pid"] for row in site.processes().values() if row["name"] != "nginx"}
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}

    for pid in pids:
        held = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
        assert not {f"socket:[{inode}]" for inode in inodes} & held


def test_while_there_is_no_administrator_a_link_that_makes_one_is_printed(site: Instance) -> None:
    link = next(line for line in site.said.splitlines() if "/register?invite=" in line)

    assert site.get(link.strip().removeprefix(f"http://localhost:{site.port}")).status == 200


def test_down_then_up_loses_nothing_and_invites_no_more(deep: Instance) -> None:
    deep.plaza("create-admin", "alice@example.org", "--password-stdin", input="correct horse battery\n")
    assert deep.plaza("down").returncode == 0
    assert deep.plaza("status").returncode == 1
    assert "not up" in deep.plaza("down").stdout

    said = deep.up("--web", "1")

    assert "/register?invite=" not in said
    assert "alice@example.org" in deep.plaza("shell", "-c", "await users.by_email('alice@example.org')").stdout


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        yield other.getsockname()[1]


def test_a_taken_port_is_told_before_anything_starts(fresh: Instance, taken: int) -> None:
    assert f"port {taken} of 127.0.0.1 is taken" in one_line(fresh, "--port", str(taken))
    assert fresh.processes() == {}


def test_a_wrong_mysql_url_is_told(fresh: Instance) -> None:
    fresh.environment["PLAZA_MYSQL_URL"] = "mysql://plaza:wrong@127.0.0.1:9/plaza"

    assert "MySQL at 127.0.0.1:9 (PLAZA_MYSQL_URL) does not let us in" in one_line(fresh, "--port", str(fresh.port))


def test_a_wrong_redis_url_is_told(fresh: Instance) -> None:
    fresh.environment["PLAZA_REDIS_URL"] = "redis://127.0.0.1:9/0"

    assert "Redis (PLAZA_REDIS_URL) does not answer" in one_line(fresh, "--port", str(fresh.port))


def test_a_folder_that_cannot_be_written_is_told(fresh: Instance, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fresh.var = tmp_path / "file" / "var"

    assert f"cannot write to {fresh.var}: Not a directory" in one_line(fresh)


def test_stored_files_are_for_nginx_to_read_and_for_nobody_to_list(tmp_path: Path) -> None:
    settings = Instance(tmp_path / "var", 8000).settings
    make_folders(settings)

    about = (settings.var / "files").stat()
    if os.geteuid() == 0:
        assert (about.st_mode & 0o777, about.st_gid) == (0o710, pwd.getpwnam(nginx_user(settings)).pw_gid)
    else:
        assert about.st_mode & 0o777 == 0o700


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1_000_000}))

    with pytest.raises(Trouble, match="is full: 0 MB free"):
        make_folders(Instance(tmp_path / "var", 8000).settings)


def test_a_database_that_crashes_at_its_start_is_told(fresh: Instance) -> None:
    (fresh.var / "mysql").mkdir()
    (fresh.var / "mysql" / ".made").touch()
    (fresh.var / "mysql" / "ibdata1").write_bytes(b"not a tablespace")

    assert "MariaDB does not start" in one_line(fresh, "--port", str(fresh.port))
    assert fresh.processes() == {}


def test_a_mistyped_setting_stops_the_start(fresh: Instance) -> None:
    fresh.environment["PLAZA_PROT"] = "8000"

    done = fresh.plaza("up")

    assert done.returncode == 1
    assert done.stderr.strip() == "✗ unknown setting PLAZA_PROT; did you mean PLAZA_PORT?"


def test_servers_that_are_elsewhere_are_used_and_none_of_its_own_started(site: Instance, fresh: Instance) -> None:
    root = root_address(site.settings)
    with pymysql.connect(unix_socket=root.unix_socket, user="root", password=root.password, autocommit=True) as db:
        db.cursor().execute("CREATE DATABASE elsewhere CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")
        db.cursor().execute("GRANT ALL ON elsewhere.* TO 'plaza'@'localhost'")
    fresh.environment |= {
        "PLAZA_MYSQL_URL": f"mysql://plaza:{site.settings.mysql.password}@localhost/elsewhere"
        f"?unix_socket={quote(root.unix_socket or '')}",
        "PLAZA_REDIS_URL": f"unix://{quote(str(site.settings.run))}/redis.sock?db=0",
        "PLAZA_NAMESPACE": "elsewhere",
    }

    fresh.up()

    assert set(fresh.processes()) == {"events", "nginx", "web-0", "web-1", "worker"}
    assert fresh.plaza("status").returncode == 0
    assert not any((fresh.var / "mysql").iterdir())
    # The settings that `up` had are known to the other commands, whatever their own shell says.
    fresh.environment.clear()
    assert fresh.plaza("check").returncode == 0
