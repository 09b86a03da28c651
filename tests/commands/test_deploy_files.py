"""What stands in deploy/ for systemd and for containers holds together, as far as can be told without either."""

import os
import re
import shutil
import signal
import subprocess
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import nginx
from commands.places import make_folders
from settings import ROOT, environment, load
from tests.commands.instances import Instance, free_port, until

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    """As it would be installed, but for the folder that it names: that has to be there."""
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is not installed: apt-get install systemd"
    (tmp_path / "plaza").write_text("#!/bin/sh\n")
    (tmp_path / "plaza").chmod(0o755)
    installed = tmp_path / unit.name.replace("@", "@9000")
    installed.write_text(unit.read_text().replace("/srv/plaza", str(tmp_path)))

    done = subprocess.run([program, "verify", installed], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    return told["services"]  # type: ignore[no-any-return]


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    """By their names in Settings, with the passwords that compose would put in."""
    told = {name: re.sub(r"\$\{\w+:[-?]([^}]*)\}", r"\1", value) for name, value in service["environment"].items()}
    return {name.removeprefix("PLAZA_").lower(): value.replace("choose one", "secret") for name, value in told.items()}


def test_what_compose_tells_a_process_are_settings(services: dict[str, Any], tmp_path: Path) -> None:
    ours = {name: service for name, service in services.items() if service["image"] == "plaza"}

    assert set(ours) == {"tables", "web1", "web2", "worker", "nginx"}
    for service in ours.values():
        load(**settings_of(service) | {"var": str(tmp_path)})
        program = service["command"][3:5]
        path = program[0] if program[0] != "-m" else f"{program[1].replace('.', '/')}"
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), program
        assert service["command"][:2] == ["sh", "deploy/process.sh"]


def test_compose_names_nothing_that_is_not_there(services: dict[str, Any]) -> None:
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    upstreams = settings_of(services["nginx"])["upstreams"].split(",")
    webs = {name: services[name]["command"][-1].partition(":")[2] for name in services if name.startswith("web")}
    assert set(upstreams) == {f"{name}:{port}" for name, port in webs.items()}
    assert all(f":{port}/healthz" in services[name]["healthcheck"]["test"][-1] for name, port in webs.items())
    assert len(set(webs.values())) == len(webs), "they share var, where a web process is named after its port"
    address = services["nginx"]["networks"]["inside"]["ipv4_address"]
    assert all(settings_of(services[name])["trusted_proxies"] == address for name in ("web1", "web2"))


def test_nobody_gets_the_address_of_nginx(services: dict[str, Any]) -> None:
    told = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["networks"]["inside"]["ipam"]["config"][0]
    whole, dynamic = IPv4Network(told["subnet"]), IPv4Network(told["ip_range"])
    address = IPv4Address(services["nginx"]["networks"]["inside"]["ipv4_address"])

    assert address in whole
    assert dynamic.subnet_of(whole)
    assert address not in dynamic


def test_the_command_that_compose_shows_is_one() -> None:
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    told = re.search(r"compose run --rm tables (.+) you@example.org", text)
    assert told
    command = told[1].replace("/srv/plaza/app", str(ROOT)).split()

    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    assert "EMAIL" in done.stdout


def test_nginx_accepts_what_it_gets_in_its_container(services: dict[str, Any], tmp_path: Path) -> None:
    """The names of containers are addresses only in there."""
    told = settings_of(services["nginx"])
    told["upstreams"] = told["upstreams"].replace("web1", "127.0.0.1").replace("web2", "127.0.0.2")
    settings = load(**told | {"var": str(tmp_path / "var"), "port": "18999"})
    make_folders(settings)

    nginx.render_files(settings)

    assert nginx.refusal(settings) == ""
    text = (settings.var / "etc" / "nginx.conf").read_text()
    assert "127.0.0.1:9000" in text
    assert "web-0.sock" not in text


def test_nginx_alone_starts_over_what_a_killed_one_left(tmp_path: Path) -> None:
    """As in a container of its own, whose var outlives it."""
    told = {"PLAZA_VAR": str(tmp_path / "var"), "PLAZA_PORT": str(free_port()), "PLAZA_UPSTREAMS": "127.0.0.1:9"}
    instance = Instance(tmp_path / "var", int(told["PLAZA_PORT"]))
    command = [sys.executable, "-P", "-m", "commands.front"]
    for _ in range(2):
        with subprocess.Popen(command, env=environment({}) | told, cwd=ROOT, start_new_session=True) as process:
            try:
                until(lambda: answers(instance), 60)
                assert instance.get("/healthz").status == 503  # nobody is at that upstream
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    assert (tmp_path / "var" / "run" / "edge.sock").exists()


def answers(instance: Instance) -> bool:
    try:
        return instance.get("/static/none").status > 0
    except OSError:
        return False
