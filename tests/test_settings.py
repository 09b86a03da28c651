"""Settings: where they come from, which one wins, and what a wrong one says."""

import os
import re
import stat
import threading
from pathlib import Path

import pytest

from settings import ROOT, Settings, SettingsError, environment, load


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test starts with the defaults alone."""
    for name in [name for name in os.environ if name.startswith("PLAZA_")]:
        monkeypatch.delenv(name)
    (tmp_path / "empty.toml").touch()
    monkeypatch.setenv("PLAZA_CONFIG", str(tmp_path / "empty.toml"))


def refusal(**overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_source_beats_the_one_below(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "plaza.toml"
    config.write_text('port = 9001\ntitle = "From the file"\ntagline = "From the file"\n')
    monkeypatch.setenv("PLAZA_CONFIG", str(config))
    monkeypatch.setenv("PLAZA_PORT", "9002")
    monkeypatch.setenv("PLAZA_TITLE", "From the environment")

    settings = load(port=9003)

    assert settings.port == 9003
    assert settings.title == "From the environment"
    assert settings.tagline == "From the file"
    assert settings.site_url == "http://localhost:9003"
    assert load(port=None).port == 9002


def test_what_came_with_a_backup_lies_under_every_other_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    restored = tmp_path / "var" / "plaza.toml"
    restored.parent.mkdir()
    restored.write_text('port = "9001"\ntitle = "Restored"\ntagline = "Restored"\n')
    (tmp_path / "empty.toml").write_text('title = "From the file"\n')
    monkeypatch.setenv("PLAZA_VAR", str(restored.parent))
    monkeypatch.setenv("PLAZA_PORT", "9002")

    settings = load()

    assert (settings.port, settings.title, settings.tagline) == (9002, "From the file", "Restored")
    assert load(var=tmp_path / "other").tagline != "Restored"


@pytest.mark.parametrize(
    ("name", "near"),
    [("PLAZA_PROT", "PLAZA_PORT"), ("PLAZA_MYSQLURL", "PLAZA_MYSQL_URL"), ("PLAZA_SITE", "PLAZA_SITE_URL")],
)
def test_a_mistyped_name_stops_and_names_the_nearest(monkeypatch: pytest.MonkeyPatch, name: str, near: str) -> None:
    monkeypatch.setenv(name, "x")

    assert refusal() == f"unknown setting {name}; did you mean {near}?"


def test_a_mistyped_name_in_the_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "plaza.toml").write_text("titel = 'x'\n")
    monkeypatch.setenv("PLAZA_CONFIG", str(tmp_path / "plaza.toml"))

    assert refusal() == "unknown setting titel; did you mean title?"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"port": "x"}, "setting port: Input should be a valid integer"),
        ({"port": 70000}, "setting port: Input should be less than or equal to 65535"),
        ({"site_url": "example.org"}, "setting site_url: must look like https://example.org"),
        ({"site_url": "https://example.org/blog"}, "without a path"),
        ({"time_zone": "Europe/Belin"}, "no such time zone; did you mean Europe/Berlin?"),
        ({"registration": "shut"}, "setting registration: Input should be 'open', 'approve' or 'closed'"),
        ({"mysql_url": "localhost"}, "must look like mysql://user:password@host:3306/database"),
        ({"mysql_url": "mysql://u:p@host:x/db"}, "must look like mysql://user:password@host:3306/database"),
        ({"redis_url": "localhost"}, "must look like redis://host:6379/0"),
        ({"smtp_url": "localhost:25"}, "setting smtp_url: must look like smtps://user:password@host:465"),
        ({"smtp_url": "smtp://host"}, "smtp_url needs mail_from"),
        ({"mail_from": "Plaza plaza@example.org"}, "setting mail_from: must look like Plaza <plaza@example.org>"),
        ({"mail_from": "a@b\r\nBcc: c@d"}, "setting mail_from"),
        ({"tls_cert": "/x"}, "tls_cert and tls_key belong together"),
        ({"trusted_proxies": "10.0.0.0/8, nonsense"}, "setting trusted_proxies"),
        ({"namespace": "a b"}, "setting namespace"),
    ],
)
def test_a_wrong_value_is_one_clear_line(wrong: dict[str, object], said: str) -> None:
    assert said in refusal(**wrong)


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://me:s%40cret@db.example.org:3307/blog\n")
    monkeypatch.setenv("PLAZA_MYSQL_URL_FILE", str(tmp_path / "url"))

    assert load().mysql == ("db.example.org", 3307, None, "me", "s@cret", "blog")

    monkeypatch.setenv("PLAZA_MYSQL_URL_FILE", str(tmp_path / "none"))
    assert refusal() == f"PLAZA_MYSQL_URL_FILE: cannot read {tmp_path}/none: No such file or directory"


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAZA_CONFIG", str(tmp_path / "none.toml"))

    assert "which does not exist" in refusal()


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZA_MYSQL_URL", "")

    assert load().mysql_url is None


def test_the_databases_are_our_own_unless_named(tmp_path: Path) -> None:
    own, other = (
        load(var=tmp_path),
        load(redis_url="redis://cache:6379/1", mysql_url="mysql://u@/d?unix_socket=/run/m.sock"),
    )

    assert own.mysql.unix_socket == f"{tmp_path}/run/mysql.sock"
    assert own.redis == f"unix://{tmp_path}/run/redis.sock?db=0"
    assert (other.mysql.unix_socket, other.mysql.database, other.redis) == ("/run/m.sock", "d", "redis://cache:6379/1")


def test_sockets_of_a_deep_folder_are_elsewhere_and_always_in_the_same_place(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)

    assert load(var=tmp_path).run == tmp_path / "run"
    assert load(var=deep).run == load(var=deep).run
    assert len(str(load(var=deep).run / "supervisor.sock.4194304~")) <= 107
    assert load(var=deep).run != load(var=deep / "y").run


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    made: set[str] = set()
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        made.add(load(var=tmp_path).secret_key)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    path = tmp_path / "secrets" / "secret_key"
    assert len(made) == 1
    assert len(made.pop()) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]


def test_a_process_gets_what_was_chosen_and_nothing_else_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZA_TITLE", "Of the shell")

    told = environment({"port": "9004"})

    assert told["PLAZA_PORT"] == "9004"
    assert "PLAZA_TITLE" not in told
    assert told["PATH"] == os.environ["PATH"]


def test_the_document_names_every_setting_and_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", text, re.MULTILINE))
    defaults = {name: field.default for name, field in Settings.model_fields.items() if name not in ("var", "web")}

    assert set(rows) == set(Settings.model_fields)
    for name, default in defaults.items():
        shown = rows[name].strip().strip("`")
        if isinstance(default, bool):
            assert shown == str(default).lower(), name
        elif isinstance(default, str | int | float) and default != "":
            assert shown == str(default), name
