"""The templates of this checkout, compiled once in a run of the tests: each new site would take seconds for them."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from handlers.views import Views
from settings import Settings


def give_templates(var: Path) -> None:
    """To a site that was never started."""
    folder = var / "templates"
    if var.is_dir() and not (folder.exists() and any(folder.iterdir())):
        shutil.copytree(_compiled(), folder, dirs_exist_ok=True)


@cache
def _compiled() -> Path:
    var = Path(tempfile.mkdtemp(prefix="plaza-templates-"))
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    Views(Settings(var=var), str).load()
    return var / "templates"
