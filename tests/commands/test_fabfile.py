"""deploy/fabfile.py brings Plaza to two hosts, one after another, over a real SSH server; the first that fails stops it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import releases
from settings import ROOT
from tests.commands.instances import Instance, free_port
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


def fab(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLAZA_", "SSH_"))}
    return subprocess.run(
        [sys.executable, "-m", "fabric", "-r", ROOT / "deploy", *arguments], env=kept, cwd="/", capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


def commit(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.long
def test_two_hosts_one_after_another_and_back(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    told = inventory(tmp_path, door, hosts)

    first = fab("deploy", "--inventory", told)
    second = fab("deploy", "--inventory", told)
    names = [[release.name for release in releases.found(host.settings)] for host in hosts]
    (hosts[1].var / "releases" / "venvs").chmod(0o700)
    back = fab("rollback", "--inventory", told)

    assert first.returncode == second.returncode == back.returncode == 0, first.stdout + second.stderr + back.stderr
    assert "Done: 2 hosts run plaza-" in first.stdout
    assert [len(each) for each in names] == [2, 2]
    for host, (older, _) in zip(hosts, names, strict=True):
        now = releases.current(host.settings)
        assert now is not None
        assert now.name == older
        assert host.get("/").status == 200
    assert fab("status", "--inventory", told).returncode == 0


def test_the_first_host_that_fails_stops_it(tmp_path: Path, door: Door, hosts: list[Instance]) -> None:
    (hosts[0].var / "plaza.toml").write_text("port = 'eighty'\n")

    done = fab("deploy", "--inventory", inventory(tmp_path, door, hosts))

    assert done.returncode == 1
    assert f"{door.address} failed, and runs as before if it ran; 1 after it were not touched." in done.stderr
    assert "setting port" in done.stderr
    assert list((hosts[0].var / "tmp").iterdir()) == []
    assert releases.found(hosts[1].settings) == []
    assert not (hosts[1].var / "tmp").exists()


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


def test_a_build_is_what_the_commit_is_made_of(tmp_path: Path) -> None:
    done = fab("build", "--folder", tmp_path)
    wrong = fab("build", "--ref=--output=x", "--folder", tmp_path)

    assert Path(done.stdout.strip()) == tmp_path / f"plaza-{commit('rev-parse', 'HEAD')[:8]}.tar.gz"
    assert "is no commit of" in wrong.stderr
