"""What `plaza doctor` asks the running servers."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pymysql
import redis

from commands import releases
from commands.findings import BAD, GOOD, WARNING, Finding, judged
from commands.nginx import refusal
from commands.places import binary
from commands.probes import fetch
from commands.supervision import Supervisor
from jobs import smtp
from settings import Settings

FORGED = "203.0.113.77"  # an address that nobody has (RFC 5737)
CLOCK = 2.0  # seconds by which two clocks may differ


def mysql(settings: Settings) -> Iterator[Finding]:
    """Version, text, isolation, clock, rights."""
    address = settings.mysql
    try:
        connection = pymysql.connect(
            host=address.host, port=address.port, unix_socket=address.unix_socket, user=address.user,
            password=address.password, database=address.database, connect_timeout=5, charset="utf8mb4",
        )  # fmt: skip
    except (pymysql.Error, OSError, RuntimeError) as error:
        advice = (
            "plaza up starts it" if settings.mysql_url is None else "look at PLAZA_MYSQL_URL and at the server's log"
        )
        yield Finding("mysql", BAD, str(error.args[-1] if error.args else error), advice)
        return
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT VERSION(), DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, UTC_TIMESTAMP(6) "
            "FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()"
        )
        version, charset, collation, clock = cursor.fetchone() or ("?", "?", "?", datetime.now(UTC))
        yield Finding("mysql", GOOD, version)
        advice = f"ALTER DATABASE `{address.database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci"
        yield judged("charset", charset == "utf8mb4", f"{charset}, {collation}", advice)
        # The variable has two names: MariaDB before 11.1 has the old one alone.
        cursor.execute("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')")
        level = str((cursor.fetchone() or ("", "?"))[1])
        advice = "set transaction-isolation = READ-COMMITTED in the server's configuration"
        yield judged("isolation", level == "READ-COMMITTED", level, advice, grade=WARNING)
        away = abs((datetime.now(UTC).replace(tzinfo=None) - clock.replace(tzinfo=None)).total_seconds())
        advice = "let both machines keep time by NTP"
        yield judged("clock", away < CLOCK, f"{away:.3f} s between here and the database", advice)


def redis_server(settings: Settings) -> Iterator[Finding]:
    """Version and what it does when it is full."""
    try:
        with redis.Redis.from_url(settings.redis, protocol=3, decode_responses=True, socket_timeout=5) as client:
            facts: dict[str, Any] = client.info()
            try:
                policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "?")
            except redis.RedisError:  # hosted ones forbid CONFIG
                policy = str(facts.get("maxmemory_policy", "?"))
    except (redis.RedisError, OSError) as error:
        advice = (
            "plaza up starts it" if settings.redis_url is None else "look at PLAZA_REDIS_URL and at the server's log"
        )
        yield Finding("redis", BAD, str(error), advice)
        return
    version = str(facts.get("redis_version", "0"))
    new = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
    yield judged("redis", new, version, "version 6.2 or newer is needed")
    limit = int(facts.get("maxmemory", 0))
    advice = "set maxmemory-policy to volatile-lfu; another one fails writes or drops what has no end"
    yield judged("redis policy", policy.startswith("volatile-"), policy, advice, grade=WARNING)
    seen = f"{limit // 1024**2} MiB" if limit else "no limit"
    yield judged("redis memory", limit > 0, seen, "set maxmemory, or Redis may take all there is", grade=WARNING)


def mail(settings: Settings) -> Iterator[Finding]:
    """Whether the mail server lets us in, where there is one."""
    if settings.smtp_url is None:
        yield Finding("mail", GOOD, "none is sent, and none is needed (smtp_url is not set)")
        return

    async def greet() -> None:
        async with smtp.server(settings):
            pass

    try:
        asyncio.run(greet())
    except smtp.Away as error:
        yield Finding("mail", BAD, str(error), "look at smtp_url; plaza mail-test ADDRESS sends one")
        return
    yield Finding("mail", GOOD, f"{urlsplit(settings.smtp_url).hostname} lets us in")


def nginx(settings: Settings) -> Iterator[Finding]:
    """Whether Nginx accepts the configuration that was written for it."""
    if binary("nginx") is not None and (settings.var / "etc" / "nginx.conf").exists():
        said = refusal(settings)
        yield judged("nginx.conf", not said, said or "accepted", "plaza up writes it anew")


def site(settings: Settings) -> Iterator[Finding]:
    """Whether every process runs and visitors get answers."""
    processes = Supervisor(settings).processes()
    if not processes:
        yield Finding("processes", WARNING, "Plaza is not up", "plaza up")
        return
    unwell = ", ".join(f"{process.name} {process.state}" for process in processes if process.state != "RUNNING")
    yield judged("processes", not unwell, unwell or f"{len(processes)} run", "plaza logs shows why")
    try:
        status, _, body = fetch(settings, "/readyz")
    except OSError as error:
        yield Finding("site", BAD, f"{settings.site_url}: {error}", "plaza logs nginx")
        return
    seen = f"{settings.site_url} answers" if status == 200 else f"{status} {body[:200].decode(errors='replace')}"
    yield judged("site", status == 200, seen, "plaza logs web-0")


def release(settings: Settings) -> Iterator[Finding]:
    """Whether every process is of the release that is current, where there are releases."""
    now = releases.current(settings)
    if now is None:
        return
    if not (now / "plaza").is_file():
        yield Finding("release", BAD, f"{now} is gone", "plaza deploy, from a checkout")
        return
    ours = (p for p in Supervisor(settings).processes() if p.pid and p.group in ("web", "worker", "events"))
    strange = ", ".join(p.name for p in ours if p.pid and releases.code_of(p.pid) not in (now, None))
    seen = (
        f"{strange} of another release than {now.name}"
        if strange
        else f"{now.name}, of {len(releases.found(settings))}"
    )
    yield judged("release", not strange, seen, "plaza restart")


def proxy_headers(settings: Settings) -> Iterator[Finding]:
    """Ask with a forged address, and see in the access log whom Nginx believed it came from."""
    log = settings.var / "log" / "access.log"
    if not log.exists() or not Supervisor(settings).processes():
        return
    path = f"/healthz?doctor={secrets.token_hex(4)}"
    start = log.stat().st_size
    try:
        fetch(settings, path, headers={"X-Forwarded-For": FORGED})
    except OSError:
        return  # site() has said so
    until = time.monotonic() + 3
    address = None
    while address is None and time.monotonic() < until:  # Nginx writes its log once a second
        time.sleep(0.1)
        with log.open() as file:
            file.seek(start if log.stat().st_size >= start else 0)
            lines = [json.loads(line) for line in file if path in line and line.endswith("}\n")]
        address = lines[0]["address"] if lines else None
    trusted = any("127.0.0.0/8" in str(net) or "127.0.0.1" in str(net) for net in settings.trusted_proxies)
    if address is None:
        yield Finding("proxy headers", WARNING, "the request is not in the access log", f"look at {log}")
    elif trusted:
        yield Finding("proxy headers", GOOD, "what this machine says about addresses is believed (trusted_proxies)")
    else:
        advice = "the configuration of Nginx was changed; plaza up writes it anew"
        yield judged("proxy headers", address != FORGED, "a forged address is not believed", advice)
