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
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fabric import Connection, task
from invoke.context import Context
from invoke.exceptions import Exit, Failure, ThreadException, UnexpectedExit
from paramiko import RejectPolicy, SSHException

ROOT = Path(__file__).resolve().parent.parent
COMMIT = ".commit"  # in the archive: what it was made of (commands/sources.py); names the release
CONNECTING = 15  # seconds
DEPLOYING = 3 * 3600  # s; a migration of millions of rows takes its time, an environment some minutes
ASKING = 120  # s
# What comes of a host that cannot be reached, and of a command there that fails or does not end.
BROKEN = (OSError, EOFError, SSHException, Failure, ThreadException)
KEY = "sha256sum requirements.lock | cut -c1-12"  # names the environment, as commands/releases.py does


class UnwellError(Exception):
    """A host answers, and its Plaza does not do as it was told; says so."""


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
        status: int = connection.run(line, warn=True, timeout=seconds).exited
        if status < 0:  # SSH has no status to tell
            raise ConnectionError("the connection was lost; what was begun there may go on")
        return status == 0

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
    if not found:
        raise Exit(f"{path} names no host", 1)
    return found


def _build(ref: str, folder: Path) -> Path:
    try:
        commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        target = folder / f"plaza-{commit[:8]}.tar.gz"
        with tempfile.TemporaryDirectory(prefix="plaza-build-") as aside:
            (told := Path(aside) / COMMIT).write_text(f"{commit}\n")
            _git("archive", "--format=tar.gz", f"--output={target}", f"--add-file={told}", commit)
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
    """Build a commit and bring it to one host after another. Stops at the first one that fails, and says who runs what."""
    hosts = _hosts(inventory)
    with tempfile.TemporaryDirectory(prefix="plaza-build-") as folder:
        archive = _build(ref, Path(folder))
        release = ""
        for place, host in enumerate(hosts):
            print(f"\n{host.address}: {host.var}", flush=True)
            try:
                with host.connected() as connection:
                    release = _bring(host, connection, archive)
            except (UnwellError, *BROKEN) as error:
                _stop(host, error, place, release, len(hosts))
    print(f"\nDone: {len(hosts)} hosts run {release}.")


def _bring(host: Host, connection: Connection, archive: Path) -> str:
    """Unpack it beside the releases, have it deploy itself there, start what is not up, and look whether all is well.

    The short name of the release that runs there now. Raises UnwellError, or one of BROKEN.
    """
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
            raise UnwellError("it could not be deployed")
    finally:
        with suppress(*BROKEN):  # what went wrong above is to be told, not that it cannot be swept up
            connection.run(f"rm -rf {there} {there}.tar.gz", warn=True, timeout=ASKING)
    now = host.release(connection)
    if host.plaza(connection, "up", seconds=DEPLOYING) and host.plaza(connection, "status"):
        return _short(now)
    print("It is not well; going back to the release before.", flush=True)
    if host.plaza(connection, "deploy --rollback", seconds=DEPLOYING):
        raise UnwellError(f"{_short(now)} is not well, and it went back")
    raise UnwellError(
        f"{_short(now)} is not well, and it did not go back" + ("" if before else ": it is the first one there")
    )


def _short(release: str) -> str:
    """As `rollback --release` takes it: the same on all hosts, which the time in front is not."""
    return release.rpartition("-")[2]


def _word(error: BaseException) -> str:
    """One line of what SSH, Fabric or a host said."""
    if isinstance(error, UnexpectedExit):
        return f"{error.result.command} ended with {error.result.exited}"
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _stop(host: Host, error: BaseException, done: int, release: str, every: int) -> NoReturn:
    """Who runs what, as far as it can be had: the host is asked once more, for the connection may have been what failed."""
    said = f"{host.address} failed: {_word(error).rstrip('.')}; "
    try:
        with host.connected() as connection:
            now = host.release(connection)
        said += f"current there is {now}" if now else "no release is current there"
    except BROKEN as worse:
        said += "it does not say what is current there" + (f": {_word(worse)}" if _word(worse) != _word(error) else "")
    if done:
        said += f"; {done} before it run {release}. Back: fab -r deploy rollback --release {release}"
    if untouched := every - done - 1:
        said += f"; {untouched} after it were not touched"
    raise Exit(f"\n{said}.", 1) from None


@task
def rollback(_: Context, release: str = "", inventory: str = "") -> None:
    """Every host, or every one that runs this release, goes back to the release before. Stops at the first one that fails."""
    went = 0
    for host in _hosts(inventory):
        try:
            with host.connected() as connection:
                now = host.release(connection)
                if release and _short(now) != release:
                    print(f"\n{host.address}: {host.var} runs {now or 'no release'}; left alone", flush=True)
                    continue
                print(f"\n{host.address}: {host.var}", flush=True)
                if not host.plaza(connection, "deploy --rollback", seconds=DEPLOYING):
                    raise UnwellError(f"it did not go back from {now or 'what runs there'}")
                if not host.plaza(connection, "status"):
                    raise UnwellError(f"it went back to {host.release(connection)}, and is not well")
        except (UnwellError, *BROKEN) as error:
            said = f"{host.address} failed: {_word(error)}; {went} before it went back, those after it were not touched"
            raise Exit(f"\n{said}.", 1) from None
        went += 1
    if not went:
        raise Exit(f"\nNo host runs {release}; nothing was done.", 1)


@task
def status(_: Context, inventory: str = "") -> None:
    """Show every host. Ends with 1 unless all is well on each."""
    unwell = []
    for host in _hosts(inventory):
        print(f"\n{host.address}: {host.var}", flush=True)
        try:
            with host.connected() as connection:
                well = host.plaza(connection, "status")
        except BROKEN as error:
            print(_word(error), file=sys.stderr, flush=True)
            well = False
        if not well:
            unwell.append(host.address)
    if unwell:
        raise Exit(f"\nNot well: {', '.join(unwell)}.", 1)
