"""deploy/fabfile.py brings Plaza to two hosts, one after another, over a real SSH server; the first that fails stops it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from commands import releases, sources
from settings import ROOT
from tests.commands.instances import Instance, free_port, until
from tests.commands.sshd import Door, sshd
from tests.commands.versions import lend_environment

PATIENCE = 1800.0  # seconds for a deploy to two hosts on a busy machine


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with sshd(tmp_path_factory.mktemp("ssh")) as opened:
        yield opened


@pytest.fixture
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Instance]]:
    """Two folders on this machine; nothing was ever started there."""
    found = [Instance(tmp_path_factory.mktemp(f"host {n}"), free_port()) for n in range(2)]
    for host in found:
        (host.var / "plaza.toml").write_text(f"port = {host.port}\nweb = 1\n")
        lend_environment(host)
    yield found
    for host in found:
        host.plaza("down")


def inventory(folder: Path, door: Door, hosts: list[Instance]) -> Path:
    path = folder / "hosts.toml"
    path.write_text("".join(
        f'[[host]]\naddress = "{door.address}"\nvar = "{host.var}"\nknown_hosts = "{door.known_hosts}"\nidentity = "{door.key}"\n'
        for host in hosts
    ))  # fmt: skip
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is here now as the one commit of a repository."""
    sources.copy(str(ROOT), tmp_path / "checkout")
    git(tmp_path / "checkout", "init", "--quiet")
    commit(tmp_path / "checkout")
    return tmp_path / "checkout"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Its short name, as releases have it."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=x")
    return git(folder, "rev-parse", "HEAD")[:8]


def fab(*arguments: str | Path, root: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLAZA_", "SSH_"))}
    return subprocess.run(
        [sys.executable, "-m", "fabric", "-r", root / "deploy", *arguments], env=kept, cwd="/", capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.long
def test_two_hosts_one_after_another_and_back(
    tmp_path: Path, door: Door, hosts: list[Instance], checkout: Path
) -> None:
    """Of the second version one host has no word, as if its cable were out."""
    told, lame = inventory(tmp_path, door, hosts), tmp_path / "lame.toml"
    head, _, tail = told.read_text().rpartition(door.address)
    lame.write_text(f"{head}{nobody()}{tail}")
    older = git(checkout, "rev-parse", "HEAD")[:8]

    first = fab("deploy", "--inventory", told, root=checkout)
    (checkout / "static" / "newer.css").write_text("/* newer */\n")
    newer = commit(checkout)
    second = fab("deploy", "--inventory", lame, root=checkout)
    between = running(hosts)
    (hosts[1].var / "releases" / "venvs").chmod(0o700)
    back = fab("rollback", "--release", newer, "--inventory", told)

    assert first.returncode == back.returncode == 0, first.stdout + first.stderr + back.stdout + back.stderr
    assert f"Done: 2 hosts run {older}." in first.stdout
    assert second.returncode == 1
    assert f"1 before it run {newer}. Back: fab -r deploy rollback --release {newer}." in second.stderr
    assert between == [newer, older]
    assert "left alone" in back.stdout
    assert running(hosts) == [older, older]
    assert [host.get("/").status for host in hosts] == [200, 200]
    assert fab("status", "--inventory", told).returncode == 0


def running(hosts: list[Instance]) -> list[str]:
    return [now.name.rpartition("-")[2] if (now := releases.current(host.settings)) else "" for host in hosts]


def nobody() -> str:
    return f"nobody@127.0.0.1:{free_port()}"


def test_the_first_host_that_fails_stops_it(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    (hosts[0].var / "plaza.toml").write_text("port = 'eighty'\n")

    done = fab("deploy", "--inventory", inventory(tmp_path, door, hosts))

    assert done.returncode == 1
    assert f"{door.address} failed: it could not be deployed; no release is current there; 1 after it" in done.stderr
    assert "setting port" in done.stderr
    assert list((hosts[0].var / "tmp").iterdir()) == []
    assert releases.found(hosts[1].settings) == []
    assert not (hosts[1].var / "tmp").exists()


def no_host(told: str, _: Instance, __: Path) -> str:
    return re.sub(r'address = "[^"]*"', f'address = "{nobody()}"', told, count=1)


def no_key(told: str, _: Instance, folder: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "another"], check=True, timeout=60)
    return re.sub(r'identity = "[^"]*"', f'identity = "{folder / "another"}"', told, count=1)


def no_folder(told: str, host: Instance, _: Path) -> str:
    (host.var / "tmp").touch()
    return told


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (no_host, "Unable to connect to port .*; it does not say what is current there; 1 after it"),
        (no_key, "Authentication failed.*; it does not say what is current there; 1 after it"),
        (no_folder, "mkdir .* ended with 1; no release is current there; 1 after it"),
    ],
)
def test_what_breaks_on_the_way_is_told_in_a_line(
    tmp_path: Path, door: Door, hosts: list[Instance], broken: Callable[[str, Instance, Path], str], said: str
) -> None:
    told = inventory(tmp_path, door, hosts)
    told.write_text(broken(told.read_text(), hosts[0], tmp_path))

    done = fab("deploy", "--inventory", told)

    assert done.returncode == 1
    assert re.search(f"failed: .*{said} were not touched", done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_a_connection_that_is_lost_meanwhile_is_told(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    with ThreadPoolExecutor(1) as pool:
        deploying = pool.submit(fab, "deploy", "--inventory", inventory(tmp_path, door, hosts))
        until(lambda: at_work(hosts[0]), 120)
        door.slam()
        done = deploying.result()
    until(lambda: not at_work(hosts[0]), 300)

    assert done.returncode == 1
    assert "failed: the connection was lost; what was begun there may go on; " in done.stderr
    assert "1 after it were not touched" in done.stderr
    assert "Traceback" not in done.stderr


def at_work(host: Instance) -> bool:
    """Whether a process is there that was started for this host."""
    told = f"PLAZA_VAR={host.var}\0".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended
            if told in path.read_bytes():
                return True
    return False


def test_a_host_that_is_away_is_no_reason_not_to_look_at_the_others(
    tmp_path: Path, door: Door, hosts: list[Instance]
) -> None:
    told = inventory(tmp_path, door, hosts)
    away = nobody()
    told.write_text(told.read_text().replace(door.address, away, 1))

    status, back = fab("status", "--inventory", told), fab("rollback", "--inventory", told)

    assert (status.returncode, back.returncode) == (1, 1)
    assert f"Not well: {away}, {door.address}." in status.stderr
    assert f"{away} failed: " in back.stderr
    assert "those after it were not touched" in back.stderr
    assert "Traceback" not in status.stderr + back.stderr


def test_a_release_that_no_host_runs_is_told(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    done = fab("rollback", "--release", "1a2b3c4d", "--inventory", inventory(tmp_path, door, hosts))

    assert done.returncode == 1
    assert "No host runs 1a2b3c4d; nothing was done." in done.stderr


def test_a_host_that_is_not_known_is_refused(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    told = inventory(tmp_path, door, hosts)
    (tmp_path / "nobody").touch()
    told.write_text(told.read_text().replace(str(door.known_hosts), str(tmp_path / "nobody")))

    done = fab("status", "--inventory", told)

    assert done.returncode == 1
    assert "not found in known_hosts" in done.stderr


def test_what_names_no_hosts_is_told(tmp_path: Path) -> None:
    (tmp_path / "hosts.toml").write_text('[[host]]\naddres = "a@b"\n')
    done = fab("status", "--inventory", tmp_path / "hosts.toml")
    (tmp_path / "hosts.toml").write_text('[[host]]\naddress = "a@b"\nvar = "var"\n')
    relative = fab("deploy", "--inventory", tmp_path / "hosts.toml")

    assert (done.returncode, relative.returncode) == (1, 1)
    assert "does not name hosts as deploy/hosts.example.toml does" in done.stderr
    assert "var must be a whole path" in relative.stderr


def test_a_build_knows_the_commit_that_it_is_made_of(tmp_path: Path, checkout: Path) -> None:
    done = fab("build", "--folder", tmp_path, root=checkout)
    wrong = fab("build", "--ref=--output=x", "--folder", tmp_path, root=checkout)
    whole = git(checkout, "rev-parse", "HEAD")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "xzf", done.stdout.strip(), "-C", tmp_path / "unpacked"], check=True, timeout=60)

    about = sources.copy(str(tmp_path / "unpacked"), tmp_path / "copy")

    assert Path(done.stdout.strip()) == tmp_path / f"plaza-{whole[:8]}.tar.gz"
    assert (about["commit"], about["hash"]) == (whole, whole[:8])
    assert not (tmp_path / "copy" / ".commit").exists()
    assert "is no commit of" in wrong.stderr


def test_what_is_no_commit_names_no_release(tmp_path: Path) -> None:
    sources.copy(str(ROOT), tmp_path / "unpacked")
    plain = sources.copy(str(tmp_path / "unpacked"), tmp_path / "plain")
    (tmp_path / "unpacked" / ".commit").write_text("../../etc")

    about = sources.copy(str(tmp_path / "unpacked"), tmp_path / "copy")

    assert about["commit"] is None
    assert about["hash"] == plain["hash"]
