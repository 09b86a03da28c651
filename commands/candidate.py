"""What `plaza deploy` has a new release say about itself, by the code of that release, while the old one runs.

    python -P -m commands.candidate check      its files compile and import, its settings load, Nginx accepts its configuration
    python -P -m commands.candidate migrate    bring the tables up to date; prints the names of the migrations

One line on standard error says what is wrong.
"""

import compileall
import importlib
import re
import sys

from commands import nginx
from commands.__main__ import COMMANDS
from commands.console import Trouble
from commands.expanding import refusals
from commands.instance import current
from commands.migrate import MIGRATIONS, migrate
from commands.places import binary
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
    if binary("nginx") is not None and (said := nginx.refusal_aside(settings)):
        raise Trouble(f"Nginx refuses its configuration: {said}")


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
