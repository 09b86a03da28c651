"""Every knob of Plaza, typed: defaults, then plaza.toml, then PLAZA_* variables, then the command line."""

import difflib
import hashlib
import ipaddress
import os
import secrets
import tomllib
import zoneinfo
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

ROOT = Path(__file__).resolve().parent
PREFIX = "PLAZA_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HostPort = Annotated[str, Field(pattern=r"^([\w.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}$", examples=["10.0.0.6:9000"])]
EdgeUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+$", examples=["http://10.0.0.5:8000"])]

# A socket path may hold 107 bytes; the longest name that we put into `run` is "supervisor.sock.<pid>~".
LONGEST_RUN = 107 - len("/supervisor.sock.4194304~")

_REDIS_URL = r"^(rediss?|unix)://"
_STATSD_URL = r"^udp://([\w.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}(/[\w.-]{0,80})?$"
_SMTP_URL = r"^smtps?://([^@/?#\s]+@)?([\w.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?/?$"
_MAIL_FROM = r"^([^\x00-\x1f<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$"


class SettingsError(Exception):
    """A setting is unknown or wrong; the text is one line for the person at the keyboard."""


class MysqlAddress(NamedTuple):
    """Where MySQL answers and who we are there; `unix_socket` wins over host and port when it is set."""

    host: str
    port: int
    unix_socket: str | None
    user: str
    password: str
    database: str


class Settings(BaseSettings):
    """One frozen set of settings; `docs/settings.md` lists them for people."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)

    # Where, and how many
    var: Path = (ROOT / "var").resolve()  # a release has a link to it there
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    web: int = Field(default_factory=lambda: max(2, os.cpu_count() or 1), ge=1, le=64)
    http_port: int | None = Field(None, ge=1, le=65535)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()

    # The site
    site_url: str = ""
    title: str = Field("Plaza", min_length=1, max_length=100)
    tagline: str = Field("A place to write and to talk.", max_length=200)
    about: str = Field("This site runs on Plaza.", max_length=20_000)
    time_zone: str = "UTC"
    language: Literal["en", "zh"] = "en"
    registration: Literal["open", "approve", "closed"] = "open"
    production: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # MySQL and Redis
    mysql_url: str | None = None
    redis_url: str | None = Field(None, pattern=_REDIS_URL, examples=["redis://host:6379/0"])
    namespace: str = Field("plaza", pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    mysql_pool: int = Field(10, ge=1, le=200)
    mysql_timeout: float = Field(5.0, gt=0, le=60)
    redis_timeout: float = Field(0.5, gt=0, le=10)
    redis_memory: int = Field(128, ge=16)
    mysql_memory: int = Field(256, ge=32)
    l1_memory: int = Field(64, ge=0, le=4096)  # MiB in each web process; 0: Redis is asked each time

    # Pages in Nginx: how many seconds at most (docs/edge.md), in how many MiB on disk; at which Nginxes, if not at our own
    page_ttl: int = Field(10, ge=1, le=60)
    page_cache: int = Field(512, ge=16)
    edges: Annotated[tuple[EdgeUrl, ...], NoDecode] = ()
    upstreams: Annotated[tuple[HostPort, ...], NoDecode] = ()  # web processes of other machines, in place of our own
    purge_url: str | None = Field(None, pattern=r"^https?://\S+$", examples=["https://cdn.example.org/purge"])
    purge_command: str | None = None
    # Mail; without smtp_url none is sent
    smtp_url: str | None = Field(None, pattern=_SMTP_URL, examples=["smtps://user:password@host:465"])
    mail_from: str = Field("", pattern=_MAIL_FROM, examples=["Plaza <plaza@example.org>"])

    # What operators watch; 0 seconds: never
    log_format: Literal["auto", "json", "text"] = "auto"
    log_requests: bool = True
    slow_request: float = Field(0.4, ge=0)
    slow_query: float = Field(0.2, ge=0)
    timing_badge: bool = True
    metrics_networks: Annotated[tuple[Network, ...], NoDecode] = ()  # besides this machine
    statsd_url: str | None = Field(None, pattern=_STATSD_URL, examples=["udp://127.0.0.1:8125/plaza"])
    compare_every: int = Field(1000, ge=0)  # one of so many writes is compared with the caches; 0: none
    sentry_dsn: str | None = Field(None, pattern=r"^https?://[^@/\s]+@[^@/\s]+/(\S+/)?\d+$")

    # Limits
    session_days: int = Field(30, ge=1, le=400)
    # A post of 500,000 Chinese characters is 4.5 MB as a form's fields.
    max_body: int = Field(5_242_880, ge=16_384)
    max_upload: int = Field(1 << 30, ge=1024)
    quota: int = Field(5 << 30, ge=1024)  # bytes of one member's files, resized copies too
    image_pixels: int = Field(100_000_000, ge=1_000_000, le=1_000_000_000)
    comments_per_minute: int = Field(10, ge=1)
    scores_per_minute: int = Field(60, ge=1)
    votes_per_minute: int = Field(60, ge=1)
    uploads_per_minute: int = Field(60, ge=1)
    signin_failures_account: int = Field(10, ge=1)
    signin_failures_address: int = Field(100, ge=1)
    signin_window: int = Field(900, ge=1)
    registrations_per_hour: int = Field(20, ge=1)
    form_seconds: float = Field(2.0, ge=0, le=60)  # a registration sent sooner was not typed by a person; 0: never mind
    replay_target: bool = False
    drain_seconds: float = Field(10.0, gt=0, le=300)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what load() hands over; it merges the sources itself, to know what came from where."""
        return (init_settings,)

    @field_validator("var", "tls_cert", "tls_key", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path if path is None else Path(os.path.abspath(path.expanduser()))

    @field_validator("trusted_proxies", "metrics_networks", "edges", "upstreams", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            raise ValueError(f"no such time zone{_nearest(name, zoneinfo.available_timezones())}")
        return name

    @field_validator("site_url")
    @classmethod
    def _origin(cls, url: str) -> str:
        parts = urlsplit(url)
        more = parts.path.strip("/") or parts.query or parts.fragment
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or more):
            raise ValueError("must look like https://example.org, without a path")
        return url.rstrip("/")

    @field_validator("mysql_url")
    @classmethod
    def _mysql_address(cls, url: str | None) -> str | None:
        return url if url is None or parse_mysql_url(url) else None

    def model_post_init(self, _context: Any) -> None:
        """Fill what follows from other settings. Frozen guards others, not us."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.smtp_url and not self.mail_from:
            raise ValueError("smtp_url needs mail_from, the address that mails come from")
        if not self.site_url:
            scheme, usual = ("https", 443) if self.tls_cert else ("http", 80)
            port = "" if self.port == usual else f":{self.port}"
            object.__setattr__(self, "site_url", f"{scheme}://localhost{port}")

    @cached_property
    def run(self) -> Path:
        """The folder of sockets and pid files: var/run, or one under /tmp when the path of var is too long."""
        inside = self.var / "run"
        elsewhere = Path("/tmp") / f"plaza-{hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]}"
        return inside if len(os.fsencode(inside)) <= LONGEST_RUN else elsewhere

    @cached_property
    def mysql(self) -> MysqlAddress:
        """The database: the one of `mysql_url`, else our own under var."""
        if self.mysql_url:
            return parse_mysql_url(self.mysql_url)
        return MysqlAddress("localhost", 0, str(self.run / "mysql.sock"), "plaza", self.secret("mysql"), "plaza")

    @cached_property
    def redis(self) -> str:
        """As a redis-py URL."""
        return self.redis_url or f"unix://{self.run}/redis.sock?db=0"

    @cached_property
    def secret_key(self) -> str:
        """What cookies and links are signed with."""
        return self.secret("secret_key")

    def secret(self, name: str) -> str:
        """The secret in var/secrets (mode 0600), made at the first call; two callers at once get the same."""
        path = self.var / "secrets" / name
        with suppress(FileNotFoundError):
            return path.read_text().strip()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = path.with_name(f".{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):  # somebody else was first: then theirs counts
            os.link(mine, path)
        mine.unlink()
        return path.read_text().strip()


def parse_mysql_url(url: str) -> MysqlAddress:
    """mysql://user:password@host:3306/database, or mysql://user@/database?unix_socket=/path. Raises ValueError."""
    example = "must look like mysql://user:password@host:3306/database"
    parts = urlsplit(url)
    database = unquote(parts.path.strip("/"))
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    if parts.scheme not in ("mysql", "mariadb") or not database or "/" in database or set(options) - {"unix_socket"}:
        raise ValueError(example)
    try:
        port = parts.port or 3306
    except ValueError:
        raise ValueError(example) from None
    user, password = unquote(parts.username or "root"), unquote(parts.password or "")
    unix_socket = unquote(options.get("unix_socket", "")) or None
    return MysqlAddress(parts.hostname or "localhost", port, unix_socket, user, password, database)


def load(**overrides: Any) -> Settings:
    """The settings in force; overrides are the command line's. Raises SettingsError."""
    merged = told(**overrides)
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"unknown setting {name}{_nearest(name, Settings.model_fields)}") from None
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "string_pattern_mismatch" and (looks := Settings.model_fields[name].examples):
            message = f"must look like {looks[0]}"
        raise SettingsError(f"setting {name}: {message}" if name else message) from None
    except ValueError as error:
        raise SettingsError(str(error)) from None


def told(**overrides: Any) -> dict[str, Any]:
    """What plaza.toml, PLAZA_* and the command line say, by the settings' names. Under them all: the settings that came with a
    restored backup, in the plaza.toml of var. Raises SettingsError."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    config = _toml(Path(named).absolute() if named else ROOT / "plaza.toml", bool(named))
    given = config | from_environment() | {k: v for k, v in overrides.items() if v is not None}
    return _toml(Path(given.get("var") or ROOT / "var").expanduser() / "plaza.toml", False) | given


def from_environment() -> dict[str, str]:
    """What PLAZA_* says, by the settings' names; PLAZA_X_FILE is read. Raises SettingsError for an unknown name."""
    found: dict[str, str] = {}
    for variable, value in sorted(os.environ.items()):
        name = variable.removeprefix(PREFIX).lower()
        if name == variable.lower() or variable == f"{PREFIX}CONFIG" or not value:
            continue
        if name.removesuffix("_file") in Settings.model_fields and name.endswith("_file"):
            try:
                found[name.removesuffix("_file")] = Path(value).read_text().strip()
            except OSError as error:
                raise SettingsError(f"{variable}: cannot read {value}: {error.strerror}") from None
        elif name in Settings.model_fields:
            found[name] = value
        else:
            raise SettingsError(f"unknown setting {variable}{_nearest(name, Settings.model_fields, in_shell=True)}")
    return found


def environment(choices: dict[str, str]) -> dict[str, str]:
    """The environment for a process of ours: this one's, with these settings in it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) or k == f"{PREFIX}CONFIG"}
    return kept | {f"{PREFIX}{name.upper()}": str(value) for name, value in choices.items()} | {"PYTHONPATH": str(ROOT)}


def _toml(path: Path, must_exist: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise SettingsError(f"{PREFIX}CONFIG names {path}, which does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None


def _nearest(name: str, known: Iterable[str], *, in_shell: bool = False) -> str:
    known = list(known)
    close = [other for other in known if other.startswith(name)] or difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {PREFIX + close[0].upper() if in_shell else close[0]}?" if close else ""
