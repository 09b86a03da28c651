"""`plaza deploy`: a new version while readers read and nobody sees an error; whatever is wrong with it, the old one goes on."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from commands import releases
from commands.instance import alone
from settings import ROOT
from tests.commands.instances import Instance, free_port, until
from tests.commands.mix import FORM
from tests.commands.versions import BROKEN, COLUMN, TABLE, lend_environment, version
from tests.harness.load import Ask, reading

RATE = 60.0  # requests a second
PATIENCE = 600.0  # seconds for one deploy on a busy machine
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A running Plaza, started from this checkout and not deployed yet, in a folder whose name has a space."""
    instance = Instance(tmp_path_factory.mktemp("a town"), free_port())
    try:
        instance.up("--web", "2")
        lend_environment(instance)
        yield instance
    finally:
        instance.plaza("down")


@pytest.fixture(scope="module")
def deployed(town: Instance, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """It runs a release, whatever the tests before have done."""
    if releases.current(town.settings) is None:
        deploy(town, str(version(tmp_path_factory.mktemp("settled") / "v", "the settled one")))
    return town


def deploy(instance: Instance, *arguments: str) -> Done:
    done = instance.plaza("deploy", *arguments, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def says(instance: Instance, word: str) -> Callable[[], bool]:
    """Pages that Nginx has stored may be as old as page_ttl."""
    return lambda: word in instance.get("/").text


def pids(instance: Instance) -> dict[str, int]:
    return {name: row["pid"] for name, row in instance.processes().items()}


def sheet(instance: Instance) -> str:
    return instance.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]


@contextmanager
def nothing_fails(instance: Instance) -> Iterator[None]:
    """Under the steady load of readers of pages, feeds, the API and the style sheet of the old version, and of a form."""
    paths = ("/", "/archive", "/polls", "/feed.atom", "/api/blogs", "/signin", sheet(instance))
    asks = [*(Ask("read", path) for path in paths), replace(FORM, share=2)]
    with reading(instance.port, asks, rate=RATE, clients=8) as load:
        yield
    print(load.report)
    assert not load.report.failed, load.report
    assert load.report.requests > 100
    assert load.report.answered["form"] > 0


def test_the_first_deploy_fails_no_request(town: Instance, tmp_path: Path) -> None:
    before = pids(town)
    old_sheet = sheet(town)
    new = version(tmp_path / "new", "the new one", files={"models/migrations/0098-mood.sql": COLUMN})

    with nothing_fails(town):
        done = deploy(town, str(new))
        until(says(town, "the new one"), 60)

    assert "migration 0098-mood" in done.stdout
    assert sheet(town) != old_sheet
    assert town.get(old_sheet).status == town.get(sheet(town)).status == 200
    after = pids(town)
    assert {name for name in before if before[name] != after[name]} == {"web-0", "web-1", "worker", "events"}
    told = json.loads(town.plaza("status", "--json").stdout)
    assert told["release"] in town.plaza("deploy", "--list").stdout


@pytest.mark.long
def test_the_way_forth_and_back_fails_no_request(deployed: Instance, tmp_path: Path) -> None:
    before = releases.current(deployed.settings)
    new = version(tmp_path / "new", "the next one", files={"models/migrations/0097-mood.sql": TABLE})
    with nothing_fails(deployed):
        deploy(deployed, str(new))
        until(says(deployed, "the next one"), 60)
    with nothing_fails(deployed):
        deploy(deployed, "--rollback")
        until(lambda: not says(deployed, "the next one")(), 60)
    listed = [line for line in deployed.plaza("deploy", "--list").stdout.splitlines() if line.startswith("20")]

    assert releases.current(deployed.settings) == before
    assert "rolled back" in listed[0]
    assert "current" in listed[1]


WRONG = {
    "syntax": ({"server.py": "+\ndef (:\n"}, "it cannot run"),
    "import": ({"worker.py": "^import nothing_of_that_name\n"}, "No module named 'nothing_of_that_name'"),
    "setting": ({"commands/candidate.py": "^import settings\nsettings.Settings.model_fields.clear()\n"}, "it cannot run"),
    "nginx": ({"deploy/nginx.conf": "+nonsense;\n"}, "Nginx refuses its configuration"),
    "migration": ({"models/migrations/0099-broken.sql": BROKEN}, "migration 0099-broken fails"),
    "page": ({"templates/base.html": "+{{ nothing.of_that_name }}\n"}, "it is answered with 500"),
    "ends": ({"server.py": "^import sys\nif '--socket' in sys.argv: sys.exit('no fun')\n"}, "no fun"),
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long) if kind != "import" else kind for kind in WRONG]
)
def test_what_is_wrong_with_a_version_is_told_and_nothing_else_happens(
    kind: str, town: Instance, tmp_path: Path
) -> None:
    deployed = town
    files, said = WRONG[kind]
    before = pids(deployed), releases.current(deployed.settings), releases.found(deployed.settings)

    done = deployed.plaza("deploy", str(version(tmp_path / "v", "the wrong one", files=files)), timeout=PATIENCE)

    assert done.returncode == 1
    assert said in done.stderr
    assert "The site runs as before" in done.stderr
    assert (pids(deployed), releases.current(deployed.settings), releases.found(deployed.settings)) == before


# In the trial all is well.
FALSE_FRIENDS = {
    "web": {"server.py": "^import sys\nif 'web-' in ' '.join(sys.argv): sys.exit('only as web')\n"},
    "worker": {
        "worker.py": "^import sys, time\nif __name__ == '__main__':\n    time.sleep(1.5)\n    sys.exit('a while')\n"
    },
}


def runs(instance: Instance, release: Path | None) -> bool:
    """Every process of it, and it is current."""
    found = pids(instance)
    names = ("web-0", "web-1", "worker")
    return releases.current(instance.settings) == release and all(releases.code_of(found[n]) == release for n in names)


@pytest.mark.long
@pytest.mark.parametrize("kind", FALSE_FRIENDS)
def test_what_fails_after_the_switch_is_taken_back(kind: str, deployed: Instance, tmp_path: Path) -> None:
    wrong = version(tmp_path / "v", "the false one", files=FALSE_FRIENDS[kind])
    before = releases.current(deployed.settings)

    with nothing_fails(deployed):
        done = deployed.plaza("deploy", str(wrong), timeout=PATIENCE)

    assert done.returncode == 1
    assert ("only as web" if kind == "web" else "worker") in done.stderr
    assert "The site runs as before" in done.stderr
    assert runs(deployed, before)
    assert "the false one" not in deployed.get("/").text


@contextmanager
def under_way(instance: Instance, source: Path, line: str) -> Iterator["subprocess.Popen[str]"]:
    """A deploy that has printed a line which begins so."""
    with instance.started("deploy", str(source)) as process:
        assert process.stdout is not None
        for said in process.stdout:
            if line in said:
                break
        else:
            raise AssertionError(process.stderr)
        yield process
        process.wait(PATIENCE)


@pytest.mark.long
def test_whoever_reads_may_go_away(deployed: Instance, tmp_path: Path) -> None:
    """As `plaza deploy | head` does."""
    new = version(tmp_path / "v", "the unwatched one")

    with nothing_fails(deployed), under_way(deployed, new, "Trying it") as process:
        assert process.stdout is not None
        process.stdout.close()

    newest = releases.found(deployed.settings)[-1]
    assert newest.ran
    assert runs(deployed, newest.path)


@pytest.mark.long
def test_a_deploy_that_is_told_to_end_goes_back(deployed: Instance, tmp_path: Path) -> None:
    before = releases.current(deployed.settings)
    new = version(tmp_path / "v", "the late one")

    with nothing_fails(deployed), under_way(deployed, new, "Restarting web-0") as process:
        process.terminate()

    assert process.returncode != 0
    assert runs(deployed, before)
    assert not releases.found(deployed.settings)[-1].ran


@pytest.mark.long
def test_commands_in_the_checkout_act_on_the_release(deployed: Instance) -> None:
    current = releases.current(deployed.settings)
    assert current is not None

    done = deployed.plaza("restart", timeout=PATIENCE)

    assert done.returncode == 0, done.stderr
    assert f"by release {current.name}, which runs here; {ROOT} is not deployed" in done.stderr
    assert releases.code_of(pids(deployed)["web-0"]) == current
    assert deployed.plaza("--help").stderr == ""


@pytest.mark.long
def test_what_was_stopped_starts_as_the_release(deployed: Instance) -> None:
    current = releases.current(deployed.settings)

    deployed.plaza("down")
    deployed.up("--web", "2")

    assert {releases.code_of(pids(deployed)[name]) for name in ("web-0", "web-1", "worker", "events")} == {current}


def test_two_deploys_exclude_each_other(deployed: Instance) -> None:
    with alone(deployed.settings, "deploy"):
        done = deployed.plaza("deploy", "--rollback")

    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (1, "✗ another plaza deploy is under way")
