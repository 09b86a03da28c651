"""What the commands ask of supervisord, over its socket."""

import http.client
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from commands.console import Trouble
from settings import Settings

PATIENCE = 90.0  # seconds for everything to end; the database may have much to write
BROKEN = {"BACKOFF", "FATAL", "EXITED"}


@dataclass(frozen=True, slots=True)
class Process:
    """One supervised process, as Supervisor tells it; `said` is its reason for a bad state."""

    name: str
    group: str
    state: str
    pid: int | None
    socket: Path | None
    said: str


class Supervisor:
    """One supervisord; it need not run."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.socket = settings.run / "supervisor.sock"

    def _ask(self, method: str, *arguments: Any) -> Any:
        # A new connection for each question: the transport keeps its own, and never recovers from one that failed.
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def pid(self) -> int | None:
        """Its process number; -1 while it shuts down; None when it does not run."""
        try:
            return int(self._ask("getPID"))
        except (OSError, http.client.HTTPException):
            return None
        except xmlrpc.client.Fault:  # it is shutting down, and says nothing else any more
            return -1

    def processes(self) -> list[Process]:
        """Every process; empty when Supervisor does not run."""
        try:
            rows = self._ask("getAllProcessInfo")
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault):
            return []
        return [
            Process(row["name"], row["group"], row["statename"], row["pid"] or None, self._socket(row), row["spawnerr"])
            for row in rows
        ]

    def pid_of(self, name: str) -> int | None:
        """The number of a process that runs."""
        return next((process.pid for process in self.processes() if process.name == name), None)

    def crashed(self, pids: dict[str, int], only: str = "") -> Process | None:
        """The first process, or this one, that does not get up; `pids`, empty at first, is for this alone.

        The state alone does not tell: one that ended after Supervisor called it running has been started again at once.
        """
        for process in self.processes():
            if only and process.name != only:
                continue
            if process.state in BROKEN or (process.pid and pids.setdefault(process.name, process.pid) != process.pid):
                return process
        return None

    def _socket(self, row: dict[str, Any]) -> Path | None:
        names = {"web": f"{row['name']}.sock", "mariadb": "mysql.sock", "redis": "redis.sock"}
        return self.settings.run / names[row["group"]] if row["group"] in names else None

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a process ("web:web-0") or a group ("web:*"); one that runs is left alone. Raises Trouble."""
        self._call("startProcessGroup" if name.endswith(":*") else "startProcess", name, wait)

    def stop(self, name: str) -> None:
        """Stop a process, waiting until it has finished its work."""
        self._call("stopProcess", name, True)

    def signal(self, name: str, signal: str) -> None:
        """Send it a signal, named as in "HUP"."""
        self._call("signalProcess", name, signal)

    def reread(self) -> set[str]:
        """Have it read its configuration; the groups whose definition is another one now. Each goes on by its old one until
        `replace`. Raises Trouble."""
        try:
            [[added, changed, _removed]] = self._ask("reloadConfig")
        except xmlrpc.client.Fault as fault:
            log = self.settings.var / "log" / "supervisord.log"
            raise Trouble(f"Supervisor refuses its configuration: {fault.faultString}", log) from None
        return {*added, *changed}

    def replace(self, group: str) -> None:
        """Stop a whole group and let it be what it is defined as now; what does not start by itself is to be started."""
        for method, arguments in (
            ("stopProcessGroup", (group, True)),
            ("removeProcessGroup", (group,)),
            ("addProcessGroup", (group,)),
        ):
            try:
                self._ask(method, *arguments)
            except xmlrpc.client.Fault as fault:
                if "BAD_NAME" not in fault.faultString:  # a group that was not there before
                    log = self.settings.var / "log" / "supervisord.log"
                    raise Trouble(f"Supervisor does not replace {group}: {fault.faultString.lower()}", log) from None

    def shutdown(self) -> None:
        """Stop every process in the right order, then Supervisor, and wait for its end. Raises Trouble."""
        pid = self.pid()
        if pid is None:
            return
        if pid != -1:
            self._ask("shutdown")
        until = time.monotonic() + PATIENCE
        # The pid file goes last, when every process has ended.
        while self.pid() is not None or (self.settings.run / "supervisord.pid").exists():
            if time.monotonic() > until:
                raise Trouble("Supervisor does not end", self.settings.var / "log" / "supervisord.log")
            time.sleep(0.05)

    def _call(self, method: str, name: str, argument: Any) -> None:
        try:
            self._ask(method, name.removesuffix(":*"), argument)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" in fault.faultString or "NOT_RUNNING" in fault.faultString:
                return
            program = name.split(":")[-1] if not name.endswith(":*") else name.split(":")[0]
            log = self.settings.var / "log" / f"{program}.log"
            raise Trouble(f"{program} does not start: {fault.faultString.lower()}", log) from None
        except (OSError, http.client.HTTPException) as error:
            raise Trouble(f"Supervisor does not answer: {error}", self.settings.var / "log/supervisord.log") from None
