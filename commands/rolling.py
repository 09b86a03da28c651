"""The steps of `plaza deploy` that run code of a release: its environment, its checks, a trial, the switch and the way back."""

import os
import signal
import subprocess
import threading
import time
from configparser import RawConfigParser
from contextlib import suppress
from pathlib import Path

import settings as knobs
from commands import releases
from commands.children import end
from commands.console import Trouble
from commands.instance import alone, choices
from commands.probes import ask, fetch, ready
from commands.supervision import Supervisor
from settings import Settings

INSTALLING = 1800.0  # seconds for an environment; it may have to be compiled
MIGRATING = 6 * 3600.0  # a column in a table of millions of rows takes its time
CHECKING = 120.0
RESTARTING = 1800.0  # dozens of processes, each with requests to finish
PATIENCE = 60.0  # seconds for one process to be ready
WATCHED = 3.0  # s; a process that dies at its first work has lived longer than Supervisor looks


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
    path, note = settings.run / "trial.sock", settings.run / "trial.pid"
    log = settings.var / "log" / "deploy.log"
    _end_orphan(settings, note)
    path.unlink(missing_ok=True)
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            [*_python(release), "server.py", "--socket", str(path)], start_new_session=True,
            env=_environment(settings), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        note.write_text(str(process.pid))
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
        end(process, settings.drain_seconds + 10)
        note.unlink(missing_ok=True)


def _end_orphan(settings: Settings, note: Path) -> None:
    """A deploy that was killed has left its trial behind: it would answer in place of the next one."""
    try:
        pid = int(note.read_text())
    except (OSError, ValueError):
        return
    code = releases.code_of(pid)
    if code is not None and code.parent == releases.folder(settings):  # its number may be somebody else's by now
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _last_word(log: Path, begin: int) -> str:
    """Of what was written since; without the line that names another log."""
    return _word(log.read_bytes()[begin:].decode(errors="replace"))


def _word(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "log: " not in line]
    return (lines or ["without a word"])[-1][-300:].removeprefix("✗ ")


def switch_while_down(settings: Settings, release: Path) -> bool:
    """Make it the current release if nothing runs, and keep `plaza up` out until that is done. Whether nothing ran."""
    with alone(settings, "up"):
        if Supervisor(settings).pid() is not None:
            return False
        releases.point(settings, release)
        return True


def switch(settings: Settings, release: Path) -> None:
    """Make it the current release and start every process from it; when that fails, from the old one again. Raises Trouble.

    Nothing is printed before all is in order again: whoever reads it may have gone.
    """
    old = releases.current(settings)
    code = old or checkout(settings)
    releases.mark(release, releases.SWITCHED)
    if old is not None and old.parent == release.parent:
        releases.mark(old, releases.RAN)  # it may have been switched to while nothing ran
    releases.point(settings, release)
    try:
        _restart(settings, release)
        _well(settings, release)
    except BaseException as error:
        if old is None and str(code) == releases.about(release).get("source"):
            said = error.message if isinstance(error, Trouble) else repr(error)
            raise Trouble(
                f"the new version does not run: {said}. It was changed in place, so there is no way back"
            ) from error
        _go_back(settings, old, code, error)
        if isinstance(error, Trouble):
            raise _unchanged("the new version does not run", error.message, error.log) from None
        raise
    releases.mark(release, releases.RAN)


def _go_back(settings: Settings, old: Path | None, code: Path, error: BaseException) -> None:
    """Not to be interrupted: half of it is worse than either side."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        releases.point(settings, old)
        _restart(settings, code)
    except Trouble as worse:
        raise Trouble(f"{error}; and what ran before does not start either: {worse}", worse.log) from error
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _restart(settings: Settings, code: Path) -> None:
    """By the code's own `plaza`, which does not hear our terminal: INT is for us, and handed on when it may be."""
    log = settings.var / "log" / "deploy.log"
    with log.open("a+") as output:
        begin = output.tell()
        process = subprocess.Popen(
            [str(code / "plaza"), "restart"], env=_environment(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=output, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    too_long = threading.Timer(RESTARTING, process.kill)
    too_long.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            show(line.rstrip())
        process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)  # its stand-ins end with it
        process.wait()
        raise
    finally:
        too_long.cancel()
    if process.returncode:
        raise Trouble(_last_word(log, begin), log)


def show(text: str) -> None:
    """Print a line, if there is still somebody to read it."""
    with suppress(OSError, SystemExit):
        print(text, flush=True)


def _well(settings: Settings, release: Path) -> None:
    """Everything answers, and nothing has ended again some seconds later. Raises Trouble."""
    supervisor = Supervisor(settings)
    until = time.monotonic() + PATIENCE
    while (said := _unwell(settings, supervisor, release)) is not None:
        if time.monotonic() > until:
            raise Trouble(said)
        time.sleep(0.1)
    pids: dict[str, int] = {}
    until = time.monotonic() + WATCHED
    while time.monotonic() < until:
        if process := supervisor.crashed(pids):
            raise Trouble(f"{process.name} ends again", settings.var / "log" / f"{process.name}.log")
        time.sleep(0.2)


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
    found = knobs.environment(told | {"var": str(settings.var)}) | {"PYTHONPATH": ""}
    if config := found.get("PLAZA_CONFIG"):
        found["PLAZA_CONFIG"] = str(Path(config).absolute())  # a release goes into its own folder first
    return found


def _run(settings: Settings, command: list[str], patience: float, failed: str) -> str:
    """What it printed. Raises Trouble with its last word."""
    log = settings.var / "log" / "deploy.log"
    try:
        done = subprocess.run(
            command, env=_environment(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, timeout=patience,
        )  # fmt: skip
        said, ended, printed = done.stderr, done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        said, ended, printed = f"it did not end within {patience:.0f} s\n", -1, ""
    with log.open("a") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(command)}\n{printed if ended else ''}{said}")
    if ended:
        raise _unchanged(failed, _word(said), log)
    return printed


def _unchanged(what: str, why: str, log: Path | None) -> Trouble:
    return Trouble(f"{what}: {why.rstrip('.')}. The site runs as before", log)
