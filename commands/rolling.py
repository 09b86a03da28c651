"""The steps of `plaza deploy` that run code of a release: its environment, its checks, a trial, the switch and the way back."""

import subprocess
import time
from configparser import RawConfigParser
from pathlib import Path

import settings as knobs
from commands import releases
from commands.console import Trouble, say, step
from commands.instance import choices
from commands.probes import ask, fetch, ready
from commands.supervision import Supervisor
from settings import Settings

INSTALLING = 1800.0  # seconds for an environment; it may have to be compiled
MIGRATING = 6 * 3600.0  # a column in a table of millions of rows takes its time
CHECKING = 120.0
RESTARTING = 1800.0  # dozens of processes, each with requests to finish
PATIENCE = 60.0  # seconds for one process to be ready


def prepare_environment(settings: Settings, release: Path) -> None:
    """The release's own `plaza` makes it, unless an earlier one has the same. Raises Trouble."""
    _run(settings, [str(release / "plaza"), "--help"], INSTALLING, "its environment cannot be made")


def candidate(settings: Settings, release: Path, what: str) -> str:
    """Have the release check itself, or migrate the tables (commands/candidate.py); what it printed. Raises Trouble."""
    failed = {"check": "it cannot run", "migrate": "the tables could not be brought up to date"}[what]
    return _run(
        settings,
        [*_python(release), "-m", "commands.candidate", what],
        MIGRATING if what == "migrate" else CHECKING,
        failed,
    )


def trial(settings: Settings, release: Path) -> None:
    """Start one web process of it where Nginx does not look, and ask it for a page. Raises Trouble."""
    path = settings.run / "trial.sock"
    log = settings.var / "log" / "deploy.log"
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            [*_python(release), "server.py", "--socket", str(path)],
            env=_environment(settings), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE
        while (said := ready(path)) is not None:
            if process.poll() is not None:
                raise _unchanged("a web process of it ends at once", _last_word(log, begin), log)
            if time.monotonic() > until:
                raise _unchanged("a web process of it does not become ready", said, log)
            time.sleep(0.05)
        status, _ = ask(path, "/", timeout=PATIENCE)
        if status != 200:
            raise _unchanged("a web process of it shows no front page", f"it is answered with {status}", log)
    except OSError as error:
        raise _unchanged("a web process of it shows no front page", str(error), log) from None
    finally:
        process.terminate()
        try:
            process.wait(settings.drain_seconds + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_word(log: Path, begin: int) -> str:
    lines = log.read_bytes()[begin:].decode(errors="replace").splitlines()
    return next((line.strip()[-300:] for line in reversed(lines) if line.strip()), "without a word")


def switch(settings: Settings, release: Path) -> None:
    """Make it the current release and start every process from it; when that fails, from the old one again. Raises Trouble."""
    old = releases.current(settings)
    supervisor = Supervisor(settings)
    if supervisor.pid() is None:
        releases.point(settings, release)
        return
    code = old or checkout(settings)
    releases.point(settings, release)
    try:
        _restart(settings, release)
        with step("Looking whether it answers"):
            _well(settings, supervisor, release)
    except BaseException as error:
        releases.point(settings, old)
        say("[yellow]![/] It does not run; going back to what ran before")
        try:
            _restart(settings, code)
        except Trouble as worse:
            raise Trouble(f"{error}; and what ran before does not start either: {worse}", worse.log) from error
        if isinstance(error, Trouble):
            raise _unchanged("the new version does not run", error.message, error.log) from None
        raise


def _restart(settings: Settings, code: Path) -> None:
    _run(settings, [str(code / "plaza"), "restart"], RESTARTING, "", show=True)


def _well(settings: Settings, supervisor: Supervisor, release: Path) -> None:
    until = time.monotonic() + PATIENCE
    while (said := _unwell(settings, supervisor, release)) is not None:
        if time.monotonic() > until:
            raise Trouble(said)
        time.sleep(0.1)


def _unwell(settings: Settings, supervisor: Supervisor, release: Path) -> str | None:
    for process in supervisor.processes():
        if process.state != "RUNNING":
            return f"{process.name} is {process.state}"
        if process.group in ("web", "worker") and process.pid and releases.code_of(process.pid) != release:
            return f"{process.name} is not of this release"
    for path in ("/readyz", "/"):
        try:
            status, _, _ = fetch(settings, path)
        except OSError as error:
            return f"the site does not answer: {error}"
        if status != 200:
            return f"{path} is answered with {status}"
    return None


def checkout(settings: Settings) -> Path:
    """Where a site without releases was started from: Supervisor's configuration says it."""
    parser = RawConfigParser(strict=False)
    parser.read(settings.var / "etc" / "supervisord.conf")
    return Path(parser.get("program:web", "directory"))


def _python(release: Path) -> list[str]:
    return ["/bin/sh", str(release / "deploy" / "process.sh"), str(release)]


def _environment(settings: Settings) -> dict[str, str]:
    told = choices(settings) or knobs.from_environment()
    return knobs.environment(told | {"var": str(settings.var)}) | {"PYTHONPATH": ""}


def _run(settings: Settings, command: list[str], patience: float, failed: str, *, show: bool = False) -> str:
    """What it printed, unless that was shown. Raises Trouble with its last word."""
    log = settings.var / "log" / "deploy.log"
    try:
        done = subprocess.run(
            command, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=None if show else subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", check=False, timeout=patience,
        )  # fmt: skip
        said, ended = done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        said, ended = f"it did not end within {patience:.0f} s", -1
    with log.open("a") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(command)}\n{said}")
    if ended:
        lines = [line.strip() for line in said.splitlines() if line.strip() and "log: " not in line]
        word = (lines or [f"status {ended}"])[-1].removeprefix("✗ ")
        raise _unchanged(failed, word, log) if failed else Trouble(word, log)
    return "" if show else done.stdout


def _unchanged(what: str, why: str, log: Path | None) -> Trouble:
    return Trouble(f"{what}: {why.rstrip('.')}. The site runs as before", log)
