"""What templates are compiled to: kept under var, read from there alone, and never needed."""

import shutil
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from content.languages import LANGUAGES
from handlers.compiled import compiled_in
from handlers.views import Views
from settings import Settings
from tests.harness.compiled import give_templates
from tests.harness.servers import Databases
from tests.harness.site import run_site

PAGES = 70  # at least


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """Of a site whose templates have been compiled."""
    give_templates(tmp_path)
    return Settings(var=tmp_path)


def drawn(folder: Path, source: str, made_by: str = "") -> str:
    environment = Environment(
        loader=DictLoader({"a.html": source}), autoescape=True, bytecode_cache=compiled_in(folder, made_by)
    )
    return environment.get_template("a.html").render()


def kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.fixture
def nothing_compiles(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def compile(*_: object, **__: object) -> None:
        raise AssertionError("it was compiled")

    monkeypatch.setattr(Environment, "compile", compile)


@pytest.mark.usefixtures("nothing_compiles")
def test_what_was_compiled_is_read_at_the_next_start_in_each_language(site: Settings) -> None:
    Views(site, str).load()

    assert len(kept(site.var / "templates")) >= PAGES


def test_a_template_is_the_same_code_in_each_language(site: Settings) -> None:
    environments = [Views(site, str)._environments[lang] for lang in LANGUAGES]
    for name in environments[0].list_templates(
        filter_func=lambda name: name in ("_comments.html", "_files.html", "search.html", "machines/atom.xml")
    ):
        source, _, _ = environments[0].loader.get_source(environments[0], name)  # type: ignore[union-attr]

        assert len({environment.compile(source, name, raw=True) for environment in environments}) == 1, name


def test_a_changed_template_or_another_maker_is_compiled_anew(tmp_path: Path) -> None:
    assert drawn(tmp_path / "c", "one") == "one"
    assert drawn(tmp_path / "c", "two") == "two"
    assert len(kept(tmp_path / "c")) == 1
    first = kept(tmp_path / "c")
    drawn(tmp_path / "c", "two", made_by="others")
    assert kept(tmp_path / "c") != first


def test_releases_take_each_others_place(tmp_path: Path) -> None:
    compiled = compiled_in(tmp_path / "c", "")
    assert compiled

    assert compiled.get_cache_key("a.html", "/releases/1/a.html") == compiled.get_cache_key(
        "a.html", "/releases/2/a.html"
    )


def test_the_folder_is_ours_alone_or_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "templates"
    drawn(folder, "one")
    assert folder.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(folder)
    folder.mkdir()
    folder.chmod(0o770)
    (tmp_path / "link").symlink_to(tmp_path)

    assert drawn(folder, "one") == drawn(tmp_path / "link", "one") == "one"
    assert kept(folder) == []
    assert compiled_in(tmp_path / "link", "") is None


def test_a_folder_that_cannot_be_used_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "templates").write_text("a file")
    views = Views(Settings(var=tmp_path), str)

    assert views._environments["en"].get_template("_pager.html")
    assert (tmp_path / "templates").read_text() == "a file"


@pytest.mark.parametrize("left", [b"", b"\0" * 4096, "half", "checksum"])
def test_what_a_crash_left_behind_is_compiled_again(tmp_path: Path, left: bytes | str) -> None:
    drawn(tmp_path / "c", "one")
    (file,) = (tmp_path / "c").iterdir()
    whole = file.read_bytes()
    file.write_bytes({"half": whole[:-20], "checksum": whole[:30]}[left] if isinstance(left, str) else left)

    assert drawn(tmp_path / "c", "one") == "one"
    assert file.read_bytes() == whole


def test_a_folder_that_has_gone_meanwhile_breaks_nothing(tmp_path: Path) -> None:
    environment = Environment(
        loader=DictLoader({"a.html": "one"}), autoescape=True, bytecode_cache=compiled_in(tmp_path / "c", "")
    )
    (tmp_path / "c").rmdir()

    assert environment.get_template("a.html").render() == "one"


def test_a_process_that_answers_has_compiled_all_pages(databases: Databases) -> None:
    with run_site(databases, compiled=False) as running:
        assert len(kept(running.settings.var / "templates")) >= PAGES
