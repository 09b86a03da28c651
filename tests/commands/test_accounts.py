"""The commands that look after accounts and tables."""

import threading
from urllib.parse import urlencode

import pytest

from commands.shell import banner
from settings import load
from tests.commands.instances import Answer, Instance

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def signed_in(site: Instance, email: str, password: str) -> Answer:
    return site.ask("POST", "/signin", body=urlencode({"email": email, "password": password}).encode(), headers=FORM)


def test_an_administrator_is_made_and_signs_in(site: Instance) -> None:
    done = site.plaza(
        "create-admin", "Carol@Example.org", "--name", "Carol", "--password-stdin", input="a long enough one\n"
    )

    assert done.returncode == 0, done.stderr
    assert signed_in(site, "carol@example.org", "a long enough one").status == 303
    assert "name='Carol'" in site.plaza("shell", "-c", "await users.by_email('carol@example.org')").stdout


def test_a_member_becomes_one_and_keeps_the_password(site: Instance) -> None:
    site.plaza("create-admin", "dave@example.org", "--password-stdin", input="a long enough one\n")

    again = site.plaza("create-admin", "dave@example.org")

    assert "is now an administrator" in again.stdout
    assert signed_in(site, "dave@example.org", "a long enough one").status == 303


def test_a_made_up_password_is_shown_once_and_works(site: Instance) -> None:
    site.plaza("create-admin", "erin@example.org", "--password-stdin", input="a long enough one\n")

    said = site.plaza("reset-password", "erin@example.org").stdout

    password = said.split("The password is ")[1].splitlines()[0]
    assert signed_in(site, "erin@example.org", password).status == 303
    assert signed_in(site, "erin@example.org", "a long enough one").status == 401


@pytest.mark.parametrize(
    ("arguments", "input", "said"),
    [
        (("create-admin", "nonsense"), "", "does not look like an e-mail address"),
        (("create-admin", "f@example.org", "--password-stdin"), "short\n", "at least 10 characters"),
        (("create-admin", "f@example.org", "--name", "x"), "", "2 to 40 characters"),
        (("reset-password", "nobody@example.org"), "", "nobody has the address"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(site: Instance, arguments: tuple[str, ...], input: str, said: str) -> None:
    done = site.plaza(*arguments, input=input)

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["migrate", "check", "shell", "create-admin"])
def test_without_a_database_the_command_says_what_to_do(fresh: Instance, command: str) -> None:
    done = fresh.plaza(command, *(["a@example.org"] if command == "create-admin" else []))

    assert done.returncode == 1
    assert "start it with: plaza up" in done.stderr


def test_two_migrations_at_once_do_not_collide(site: Instance) -> None:
    said: list[str] = []
    both = [threading.Thread(target=lambda: said.append(site.plaza("migrate").stdout)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert said == ["The tables are up to date.\n"] * 2


def test_check_finds_a_wrong_tally(site: Instance) -> None:
    assert site.plaza("check").returncode == 0
    wrong = "await db.fetch(\"INSERT INTO tallies (list, day, n) VALUES ('posts', '2001-02-03', 7)\")"
    right = "await db.fetch(\"DELETE FROM tallies WHERE day = '2001-02-03'\")"

    site.plaza("shell", "-c", wrong)
    done = site.plaza("check")
    site.plaza("shell", "-c", right)

    assert done.returncode == 1
    assert "tallies posts 2001-02-03: says 7, there are 0" in done.stderr
    assert site.plaza("check").returncode == 0


def test_the_shell_awaits_and_survives_mistakes(site: Instance) -> None:
    done = site.plaza("shell", input="x = await posts.front(1)\n1 / 0\nprint('count', x.item_count)\n")

    assert "development" in done.stdout
    assert "ZeroDivisionError" in done.stderr
    assert "count 0" in done.stdout


def test_the_banner_has_the_colour_of_the_place() -> None:
    assert "green]development" in banner(load(), ["posts"])
    assert "magenta]production" in banner(load(production=True), ["posts"])


def test_the_doctor_finds_nothing_wrong(site: Instance) -> None:
    done = site.plaza("doctor")

    assert done.returncode == 0, done.stdout
    for about in (
        "python", "database", "charset", "isolation", "redis policy", "clock", "secrets", "open files", "disk",
        "nginx.conf", "proxy headers", "plain http", "socket paths",
    ):  # fmt: skip
        assert about in done.stdout
    assert "✗" not in done.stdout


def test_the_doctor_sees_what_is_wrong_and_says_what_to_do(site: Instance) -> None:
    secret = site.var / "secrets" / "mysql"
    secret.chmod(0o644)
    try:
        done = site.plaza("doctor")
    finally:
        secret.chmod(0o600)

    assert done.returncode == 1
    assert f"chmod -R go= {site.var}/secrets" in " ".join(done.stdout.split())  # long lines are folded


def test_logs_shows_one_or_all(site: Instance) -> None:
    assert "serving at" in site.plaza("logs", "web-0", "-n", "1000").stdout
    assert "web-1.log" in site.plaza("logs").stdout
    assert "there are: " in site.plaza("logs", "nothing").stderr
