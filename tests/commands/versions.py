"""Versions of Plaza for the tests of `plaza deploy`: copies of this checkout with something changed."""

from pathlib import Path

from commands import releases, sources
from settings import ROOT
from tests.commands.instances import Instance

COLUMN = """-- A mood.
-- depends: 0001-the-blog

ALTER TABLE posts ADD COLUMN mood VARCHAR(20) NOT NULL DEFAULT 'calm';
"""
TABLE = """-- Moods.
-- depends: 0001-the-blog

CREATE TABLE moods (id BIGINT NOT NULL PRIMARY KEY, word VARCHAR(20) NOT NULL UNIQUE);
"""
BROKEN = """-- A table that is not there.
-- depends: 0001-the-blog

ALTER TABLE nowhere ADD COLUMN mood VARCHAR(20) NOT NULL DEFAULT 'calm';
"""


def version(folder: Path, word: str, *, files: dict[str, str] | None = None) -> Path:
    """A version whose pages say `word` and whose style sheet has another name. `files`: more changes, by path; a text that
    begins with "+" is added at the end, with "^" in front."""
    sources.copy(str(ROOT), folder)
    page = folder / "templates" / "base.html"
    page.write_text(page.read_text().replace("</footer>", f"<p>{word}</p></footer>"))
    assert word in page.read_text()
    with (folder / "static" / "site.css").open("a") as sheet:
        sheet.write(f"/* {word} */\n")
    for name, text in (files or {}).items():
        path = folder / name
        old = path.read_text() if text[0] in "+^" else ""
        path.write_text({"+": old + text[1:], "^": text[1:] + old}.get(text[0], text))
    return folder


def lend_environment(instance: Instance) -> None:
    """The environment of the tests serves the releases too: what pip would put there is there already."""
    venv = releases.environment_of(instance.settings, ROOT)
    venv.parent.mkdir(parents=True, exist_ok=True)
    if not venv.exists():
        venv.symlink_to((ROOT / ".venv").resolve())
