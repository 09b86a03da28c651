"""An instance for one benchmark run: a fresh folder, servers of its own, generated content; gone at the end."""

import asyncio
import http.client
import shutil
import signal
import socket
import subprocess
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
from commands.console import Trouble, say, step
from commands.migrate import migrate
from commands.places import make_folders
from commands.supervision import Supervisor
from models.posts import Post
from settings import ROOT, Settings

PATIENCE = 20.0  # seconds for one more process to answer
Told = dict[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """Where something answers, and the processes that do."""

    address: str
    pids: frozenset[int]


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
        processes = Supervisor(self.settings).processes()
        pids = cpu.family(one.pid for one in processes if one.pid and one.group in ("nginx", "web"))
        return Server(f"http://127.0.0.1:{self.settings.port}", pids)

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

    def keep(self, name: str, body: bytes) -> str:
        """Put a page's bytes where both yardsticks find them; Nginx's path to them."""
        (self.bodies / name).write_bytes(body)
        public = self.settings.var / "static" / f"bench-{name}"
        public.write_bytes(body)
        public.chmod(0o644)
        return f"/static/{public.name}"

    def _at(self, name: str, path: str, command: Callable[[int], list[str]], choices: Told) -> Server:
        if name not in self.started:
            port = free_ports(1)[0]
            log = self.settings.var / "log" / f"bench-{name}.log"
            line = [sys.executable, "-P", *command(port)]
            process = self.stack.enter_context(_running(line, log, knobs.environment(self.told | choices)))
            address = f"http://127.0.0.1:{port}"
            _wait_for(address + path, process, log)
            self.started[name] = Server(address, frozenset((process.pid,)))
        return self.started[name]


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
    with live.bar() as bar:
        task = bar.add_task("Writing posts and comments", total=count)
        posts = asyncio.run(fill(settings, count, lambda done: bar.update(task, completed=done)))
    say(f"[green]✓[/] {count:,} posts and their comments")
    return posts


def _end(supervisor: Supervisor) -> None:
    """Nothing stays behind, even when Ctrl-C is pressed twice."""
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        supervisor.shutdown()
    finally:
        signal.signal(signal.SIGINT, kept)


@contextmanager
def _running(line: list[str], log: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal reaches us, and we end it.
        process = subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if fetch(url)[0] == 200:
                return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise Trouble(f"{url} does not answer: {''.join(last)}")
        time.sleep(0.05)


def fetch(url: str) -> tuple[int, bytes]:
    """One GET: status and body. Raises OSError."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from None
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens at now."""
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]
