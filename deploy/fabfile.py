"""Plaza on several hosts: build once, then bring it to one host after another; the first one that fails stops it.

    pip install --require-hashes -r deploy/requirements.lock    # here, not on the hosts: those need ssh, tar and Python
    fab -r deploy build                                         # what a commit is made of, as one file
    fab -r deploy deploy                                        # build, and bring it to every host of deploy/hosts.toml
    fab -r deploy deploy --ref v1.2 --inventory ~/hosts.toml
    fab -r deploy status
    fab -r deploy rollback --release 1a2b3c4d                   # every host that runs it goes back to the release before

docs/deployment.md says what several hosts must have in common.
"""

import posixpath
import shlex
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric import Connection, task
from invoke.context import Context
from invoke.exceptions import Exit
from paramiko import RejectPolicy

ROOT = Path(__file__).resolve().parent.parent
CONNECTING = 15  # seconds
DEPLOYING = 3 * 3600  # s; a migration of millions of rows takes its time, an environment some minutes
ASKING = 120  # s
KEY = "sha256sum requirements.lock | cut -c1-12"  # names the environment, as commands/releases.py does


@dataclass(frozen=True, slots=True)
class Host:
    """`address` as ssh takes it, user@host:port. `var`: the folder of that site there. `known_hosts`: where its key stands."""

    address: str
    var: str
    known_hosts: str = "~/.ssh/known_hosts"
    identity: str = ""

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Fabric itself believes every host that it has not met: here a host must be known, as for ssh."""
        keys = {"key_filename": str(Path(self.identity).expanduser())} if self.identity else {}
        connection = Connection(self.address, connect_timeout=CONNECTING, connect_kwargs=keys)
        connection.client.load_system_host_keys(str(Path(self.known_hosts).expanduser()))
        connection.client.set_missing_host_key_policy(RejectPolicy())
        with connection:
            yield connection

    def plaza(self, connection: Connection, arguments: str, folder: str = "", seconds: int = ASKING) -> bool:
        """Run a command of the release that runs there, or of a folder; what it says is shown. Whether it went well."""
        program = shlex.quote(posixpath.join(folder or f"{self.var}/current", "plaza"))
        line = f"PLAZA_VAR={shlex.quote(self.var)} {program} {arguments}"
        return bool(connection.run(line, warn=True, timeout=seconds).ok)

    def release(self, connection: Connection) -> str:
        """The name of the release that runs there; empty where none does."""
        found = connection.run(f"readlink {shlex.quote(self.var)}/current", warn=True, hide=True, timeout=ASKING)
        return posixpath.basename(str(found.stdout).strip())


def _hosts(inventory: str) -> list[Host]:
    path = Path(inventory).expanduser() if inventory else ROOT / "deploy" / "hosts.toml"
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text())
        found = [Host(**one) for one in told["host"]]
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise Exit(f"{path} does not name hosts as deploy/hosts.example.toml does: {error!r}", 1) from None
    if wrong := [host.var for host in found if not host.var.startswith("/")]:
        raise Exit(f"{path}: var must be a whole path, not {wrong[0]}", 1)
    return found


def _build(ref: str, folder: Path) -> Path:
    try:
        commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        target = folder / f"plaza-{commit[:8]}.tar.gz"
        _git("archive", "--format=tar.gz", f"--output={target}", commit)
    except subprocess.CalledProcessError as error:
        raise Exit(f"{ref} is no commit of {ROOT}: {error.stderr.strip()}", 1) from None
    return target


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True, timeout=ASKING)
    return done.stdout.strip()


@task
def build(_: Context, ref: str = "HEAD", folder: str = ".") -> None:
    """Write what a commit is made of into one file."""
    print(_build(ref, Path(folder).resolve()))


@task
def deploy(_: Context, ref: str = "HEAD", inventory: str = "") -> None:
    """Build a commit and bring it to one host after another. Stops at the first one that fails, which then runs as before."""
    hosts = _hosts(inventory)
    with tempfile.TemporaryDirectory(prefix="plaza-build-") as folder:
        archive = _build(ref, Path(folder))
        done: list[Host] = []
        for host in hosts:
            print(f"\n{host.address}: {host.var}", flush=True)
            with host.connected() as connection:
                if not _bring(host, connection, archive):
                    _stop(host, done, len(hosts))
            done.append(host)
    print(f"\nDone: {len(hosts)} hosts run {archive.name.removesuffix('.tar.gz')}.")


def _bring(host: Host, connection: Connection, archive: Path) -> bool:
    """Unpack it beside the releases, have it deploy itself there, start what is not up, and look whether all is well."""
    before = host.release(connection)
    folder = f"{host.var}/tmp/{archive.name.removesuffix('.tar.gz')}"
    var, there = shlex.quote(host.var), shlex.quote(folder)
    connection.run(f"mkdir -p {there} {var}/releases/venvs && chmod go= {var}/tmp", timeout=ASKING)
    try:
        connection.put(str(archive), f"{folder}.tar.gz")
        connection.run(f"tar xzf {there}.tar.gz -C {there}", timeout=ASKING)
        # The environment is made where its release will look for it, not once here and once there.
        venv = f'{var}/releases/venvs/"$({KEY})"'
        connection.run(f"cd {there} && mkdir -p {venv} && ln -sfn {venv} .venv", timeout=ASKING)
        if not host.plaza(connection, "deploy", folder, DEPLOYING):
            return False
    finally:
        connection.run(f"rm -rf {there} {there}.tar.gz", warn=True, timeout=ASKING)
    if host.plaza(connection, "up", seconds=DEPLOYING) and host.plaza(connection, "status"):
        return True
    if before:
        print("It is not well; going back to the release before.", flush=True)
        host.plaza(connection, "deploy --rollback", seconds=DEPLOYING)
    return False


def _stop(host: Host, done: list[Host], every: int) -> None:
    said = f"{host.address} failed, and runs as before if it ran"
    if done:
        with done[-1].connected() as connection:
            release = done[-1].release(connection).rpartition("-")[2]
        said += f"; {len(done)} before it run the new version. Back: fab -r deploy rollback --release {release}"
    if untouched := every - len(done) - 1:
        said += f"; {untouched} after it were not touched"
    raise Exit(f"\n{said}.", 1)


@task
def rollback(_: Context, release: str = "", inventory: str = "") -> None:
    """Every host, or every one that runs this release, goes back to the release before. Stops at the first one that fails."""
    for host in _hosts(inventory):
        with host.connected() as connection:
            now = host.release(connection)
            if release and not now.endswith(f"-{release}"):
                print(f"\n{host.address}: {host.var} runs {now or 'no release'}; left alone", flush=True)
                continue
            print(f"\n{host.address}: {host.var}", flush=True)
            if not (
                host.plaza(connection, "deploy --rollback", seconds=DEPLOYING) and host.plaza(connection, "status")
            ):
                raise Exit(f"\n{host.address} did not go back; those after it were not touched.", 1)


@task
def status(_: Context, inventory: str = "") -> None:
    """Show every host. Ends with 1 unless all is well on each."""
    unwell = []
    for host in _hosts(inventory):
        print(f"\n{host.address}: {host.var}", flush=True)
        with host.connected() as connection:
            if not host.plaza(connection, "status"):
                unwell.append(host.address)
    if unwell:
        raise Exit(f"\nNot well: {', '.join(unwell)}.", 1)
