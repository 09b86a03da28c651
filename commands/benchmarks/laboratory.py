"""An instance for one benchmark run: a fresh folder, servers of its own, generated content; gone at the end."""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import settings as knobs
from commands import starting
from commands.benchmarks import cpu, live
from commands.benchmarks.filling import fill
from commands.benchmarks.processes import Door, Process, Server, free_ports, running, wait_for
from commands.console import say, step
from commands.migrate import migrate
from commands.places import make_folders
from commands.supervision import Supervisor
from models.posts import Post
from settings import ROOT, Settings

Told = dict[str, str]


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A running instance; what benchmarks start beside it ends with it."""

    settings: Settings
    posts: list[Post]
    bodies: Path  # the bodies that the yardsticks answer, one file each
    told: Told
    stack: ExitStack
    started: dict[str, Server] = field(default_factory=dict)

    @property
    def nginx(self) -> Server:
        """The instance's Nginx with its web processes behind it."""
        return Server(f"http://127.0.0.1:{self.settings.port}", self.pids("nginx", "web"))

    def pids(self, *groups: str) -> frozenset[int]:
        """The processes of the instance that Supervisor keeps under these names, with their children."""
        processes = Supervisor(self.settings).processes()
        return cpu.family(one.pid for one in processes if one.pid and one.group in groups)

    def web(self, **choices: str) -> Server:
        """A web process with no Nginx before it, with these settings beside the common ones."""
        name = "web" + "".join(f"-{name}-{value}" for name, value in sorted(choices.items()))
        return self._at(
            name, "/healthz", lambda port: [str(ROOT / "server.py"), "--listen", f"127.0.0.1:{port}"], choices
        )

    def bare(self) -> Server:
        """The bare Tornado process; call it when all `bodies` are there."""
        first = next(self.bodies.iterdir()).name
        module = "commands.benchmarks.yardstick"
        return self._at("bare", f"/{first}", lambda port: ["-m", module, str(port), str(self.bodies)], {})

    def keep(self, name: str, body: bytes, packed: bytes = b"") -> str:
        """Put a page's bytes where both yardsticks find them, and `packed` for who takes gzip; Nginx's path to them."""
        (self.bodies / name).write_bytes(body)
        public = self.settings.var / "static" / f"bench-{name}"
        for path, content in ((public, body), (public.with_name(f"{public.name}.gz"), packed)):
            if content:
                path.write_bytes(content)
                path.chmod(0o644)
        return f"/static/{public.name}"

    def door(self, name: str, **choices: str) -> Door:
        """A web process with a side door, with these settings beside the common ones; the same one for the same name."""
        if name not in self.started:
            self.started[name] = self.stack.enter_context(self.fresh_door(name, **choices))
        found = self.started[name]
        assert isinstance(found, Door)
        return found

    @contextmanager
    def fresh_door(self, name: str, **choices: str) -> Iterator[Door]:
        """A web process with a side door, until the end of the block. No page of it has been asked for."""
        address = f"127.0.0.1:{free_ports(1)[0]}"
        line = ["-m", "commands.benchmarks.inside", address]
        with self._running(name, line, choices, piped=True) as (process, _):
            door = Door(f"http://{address}", frozenset((process.pid,)), process)
            door.ask("asked")  # it answers when it serves
            yield door

    def _at(self, name: str, path: str, command: Callable[[int], list[str]], choices: Told) -> Server:
        if name not in self.started:
            port = free_ports(1)[0]
            process, log = self.stack.enter_context(self._running(name, command(port), choices))
            address = f"http://127.0.0.1:{port}"
            wait_for(address + path, process, log)
            self.started[name] = Server(address, frozenset((process.pid,)))
        return self.started[name]

    @contextmanager
    def _running(
        self, name: str, line: list[str], choices: Told, *, piped: bool = False
    ) -> Iterator[tuple[Process, Path]]:
        """(the process, its log)."""
        log = self.settings.var / "log" / f"bench-{name}.log"
        environment = knobs.environment(self.told | choices)
        with running([sys.executable, "-P", *line], log, environment, piped=piped) as process:
            yield process, log


@contextmanager
def laboratory(count: int) -> Iterator[Laboratory]:
    """A whole Plaza with `count` posts, in a folder under the system's temporary one. Raises Trouble.

    No setting of the user's own counts here, neither of the environment nor of plaza.toml: they may name a real database.
    """
    folder = Path(tempfile.mkdtemp(prefix="plaza-bench-"))
    try:
        (folder / "plaza.toml").touch()
        told = {"var": f"{folder}/var", "port": str(free_ports(1)[0]), "web": "2", "log_level": "WARNING"}
        settings = Settings.model_validate(told)
        told["config"] = f"{folder}/plaza.toml"
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, settings.run, ignore_errors=True)
            _start(settings, told, stack)
            posts = _filled(settings, count)
            with step("Starting the web processes and Nginx"):
                supervisor = Supervisor(settings)
                supervisor.start("web:*", wait=False)
                supervisor.start("worker", wait=False)
                starting.start_site(settings, supervisor)
            bodies = folder / "bodies"
            bodies.mkdir()
            yield Laboratory(settings, posts, bodies, told, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(settings: Settings, told: Told, stack: ExitStack) -> None:
    make_folders(settings)
    with step("Preparing a database of its own"):
        starting.prepare(settings)
    supervisor = Supervisor(settings)
    stack.callback(_end, supervisor)
    with step("Starting the database and the cache"):
        starting.start_supervisor(settings, told)
        starting.wait_for_servers(settings, supervisor)
        migrate(settings)


def _filled(settings: Settings, count: int) -> list[Post]:
    began = time.monotonic()
    with live.bar() as bar:
        task = bar.add_task("", total=count)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        posts = fill(settings, count, tell)
    say(f"[green]✓[/] {f'{count:,} posts and their comments':<44} [dim]{time.monotonic() - began:5.1f} s[/]")
    return posts


def _end(supervisor: Supervisor) -> None:
    """Nothing stays behind, even when Ctrl-C is pressed twice."""
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        supervisor.shutdown()
    finally:
        signal.signal(signal.SIGINT, kept)
