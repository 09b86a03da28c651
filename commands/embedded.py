"""MariaDB (or MySQL) and Redis of our own under var: made ready, and run for as long as somebody needs them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import redis

from commands.console import Trouble
from commands.places import binary, make_folders, render, values
from settings import MysqlAddress, Settings

PATIENCE = 60.0  # seconds for a server to answer; InnoDB may have to recover first


def mysqld() -> str:
    """The server program, under either of its names. Raises Trouble."""
    found = binary("mariadbd", "mysqld")
    if found is None:
        raise Trouble("neither MariaDB nor MySQL is installed: apt-get install mariadb-server-core")
    return found


def mysql_command(settings: Settings) -> list[str]:
    """How the database is run in the foreground."""
    return [mysqld(), f"--defaults-file={settings.var}/etc/my.cnf"]


def redis_command(settings: Settings) -> list[str]:
    """How Redis is run in the foreground. Raises Trouble."""
    found = binary("redis-server")
    if found is None:
        raise Trouble("Redis is not installed: apt-get install redis-server")
    return [found, f"{settings.var}/etc/redis.conf"]


def root_address(settings: Settings) -> MysqlAddress:
    """The administrator of our own database server; for tests, which make databases, and for people in need."""
    return settings.mysql._replace(user="root", password=settings.secret("mysql_root"), database="mysql")


def prepare_mysql(settings: Settings, *, fast: bool = False) -> None:
    """Render its configuration and, the first time, make the data directory; half-made ones do not survive."""
    etc = settings.var / "etc"
    render("my.cnf", values(settings) | {"fast": fast}, etc / "my.cnf")
    who = {"mysql": settings.mysql, "root_password": settings.secret("mysql_root")}
    render("init.sql", who, etc / "init.sql")
    data = settings.var / "mysql"
    if (data / ".made").exists():
        return
    if any(data.glob("ibdata*")) and (data / "mysql").exists() and not (settings.var / "mysql.new").exists():
        (data / ".made").touch()  # brought here from elsewhere, as by a restored backup
        return
    fresh = settings.var / "mysql.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    log = settings.var / "log" / "mariadb-install.log"
    with log.open("wb") as output:
        # By its bare name, from its parent: the script of MariaDB does not understand a path with a space.
        command = _install_command(fresh)
        done = subprocess.run(command, cwd=settings.var, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Trouble("the database's first files could not be made", log)
    (fresh / ".made").touch()
    shutil.rmtree(data)
    fresh.rename(data)


def _install_command(data: Path) -> list[str]:
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = binary("mariadb-install-db", "mysql_install_db")
    if install is None:  # MySQL 8: the server does it itself
        return [mysqld(), "--no-defaults", *user, "--initialize-insecure", f"--datadir={data}"]
    normal = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    return [install, "--no-defaults", *user, f"--datadir=./{data.name}", *normal, "--innodb-log-file-size=48M"]


def prepare_redis(settings: Settings) -> None:
    """Render its configuration."""
    render("redis.conf", values(settings), settings.var / "etc" / "redis.conf")


def mysql_answers(settings: Settings) -> str | None:
    """None when the database lets us in, else what it said."""
    address = settings.mysql
    try:
        if address.unix_socket:
            with socket.socket(socket.AF_UNIX) as knock:  # PyMySQL leaves its own open when it is refused
                knock.connect(address.unix_socket)
        pymysql.connect(
            host=address.host,
            port=address.port,
            unix_socket=address.unix_socket,
            user=address.user,
            password=address.password,
            database=address.database,
            connect_timeout=int(settings.mysql_timeout) or 1,
        ).close()
    except (pymysql.Error, OSError, RuntimeError, UnicodeError) as error:
        return str(error.args[-1] if error.args else error)
    return None


def redis_answers(settings: Settings) -> str | None:
    """None when Redis answers, else what it said."""
    try:
        with redis.Redis.from_url(settings.redis, protocol=3, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return str(error)
    return None


def wait_for(name: str, answer: Callable[[], str | None], log: Path, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until the server answers. Raises Trouble with its last words when it ends or takes too long."""
    until = time.monotonic() + PATIENCE
    while (said := answer()) is not None:
        if not alive() or time.monotonic() > until:
            raise Trouble(f"{name} does not start: {last_line(log) or said}", log)
        time.sleep(0.05)


def last_line(log: Path) -> str:
    """The last error of a log file, or its last line."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[-200:] if line.strip()]
    except OSError:
        return ""
    errors = [line for line in lines if "ERROR" in line and "Aborting" not in line]
    return (errors or lines or [""])[-1][-300:]


@contextmanager
def servers(settings: Settings, *, fast: bool = False) -> Iterator[None]:
    """Run both for as long as the block lasts; one that is elsewhere or already up is left alone.

    For `plaza dev` and for tests. `fast` gives up durability. Raises Trouble.
    """
    make_folders(settings)
    started: list[subprocess.Popen[bytes]] = []
    try:
        if settings.redis_url is None and redis_answers(settings) is not None:
            prepare_redis(settings)
            started.append(_run(redis_command(settings), settings.var / "log" / "redis.log"))
            wait_for("Redis", lambda: redis_answers(settings), settings.var / "log" / "redis.log", _alive(started[-1]))
        if settings.mysql_url is None and mysql_answers(settings) is not None:
            prepare_mysql(settings, fast=fast)
            log = settings.var / "log" / "mariadb.log"
            started.append(_run(mysql_command(settings), log))
            wait_for("MariaDB", lambda: mysql_answers(settings), log, _alive(started[-1]))
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def _alive(process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: process.poll() is None


def _run(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal reaches us, and we end them in order.
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
