"""What `plaza deploy` has a new release say about itself, by the code of that release, while the old one runs.

    python -P -m commands.candidate check      its files compile and import, its settings load, Nginx accepts its configuration
    python -P -m commands.candidate migrate    bring the tables up to date; prints the names of the migrations

One line on standard error says what is wrong.
"""

import compileall
import importlib
import re
import shutil
import sys
import tempfile
from pathlib import Path

from commands import nginx
from commands.__main__ import COMMANDS
from commands.console import Trouble
from commands.expanding import refusals
from commands.instance import current
from commands.migrate import MIGRATIONS, migrate
from commands.places import binary, make_folders
from settings import ROOT, Settings, SettingsError


def check(settings: Settings) -> None:
    """Everything that can be known without a running process. Raises Trouble, or whatever an import raises."""
    if not compileall.compile_dir(ROOT, quiet=1, rx=re.compile(f"^{re.escape(str(ROOT))}/tests/"), workers=0):
        raise Trouble("not every file compiles; the log says which")
    for path in sorted(MIGRATIONS.glob("*.sql")):
        for said in refusals(path.read_text()):
            raise Trouble(f"migration {path.stem} {said}")
    for name in ("server", "worker", *(f"commands.{module}" for module, _ in COMMANDS.values())):
        importlib.import_module(name)
    if binary("nginx") is not None:
        _nginx(settings)


def _nginx(settings: Settings) -> None:
    """In a folder of its own: what the running Nginx reads is left alone until the release is current."""
    with tempfile.TemporaryDirectory(prefix="candidate-", dir=settings.var / "tmp") as folder:
        aside = Settings(**settings.model_dump(exclude_unset=True) | {"var": Path(folder)})
        make_folders(aside)
        try:
            nginx.render_files(aside)
            said = nginx.refusal(aside)
        finally:
            shutil.rmtree(aside.run, ignore_errors=True)  # it may be elsewhere, where the path of var is long
    if said:
        lines = said.splitlines()
        raise Trouble("Nginx refuses its configuration: " + next((one for one in lines if "[emerg]" in one), lines[-1]))


def main() -> None:
    settings = current()
    if sys.argv[1:] == ["migrate"]:
        print(*migrate(settings), sep="\n")
    else:
        check(settings)


if __name__ == "__main__":
    try:
        main()
    except (Trouble, SettingsError) as error:
        sys.exit(f"{error}")
