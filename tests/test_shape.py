"""The house rules of style.md and design.md, held: whoever breaks one is told here, by file and line."""

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cache.slots import Index, Key, List, Scope

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 300
FOLDERS = {"cache", "models", "handlers", "content", "jobs", "commands", "replay", "settings", "server", "worker"}
# Whom each may import, of what is ours. `replay` and the wiring are free within this.
MAY = {
    "settings": set(), "cache": set(), "content": set(), "models": {"cache", "content", "settings"},
    "handlers": {"models", "content", "settings"}, "jobs": {"models", "content", "settings"}, "replay": {"settings"},
    "server": FOLDERS, "worker": FOLDERS, "commands": FOLDERS,
}  # fmt: skip


@cache
def files() -> tuple[Path, ...]:
    """Every Python file that git knows or is about to know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return tuple(sorted(ROOT / name for name in names if name and (ROOT / name).exists()))


def ours(*folders: str) -> list[Path]:
    return [path for path in files() if part_of(path) in folders]


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def at(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def imported(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{at(path, node)}: relative import"
            yield node.module or "", node


def test_there_are_files_to_look_at() -> None:
    assert {part_of(path) for path in files()} >= FOLDERS - {"replay"}


def test_imports_point_one_way() -> None:
    wrong = [
        f"{at(path, node)} imports {name}"
        for path in ours(*MAY)
        for name, node in imported(path)
        if (top := name.partition(".")[0]) in FOLDERS and top != part_of(path) and top not in MAY[part_of(path)]
    ]

    assert wrong == []


def test_nothing_of_ours_imports_the_tests() -> None:
    assert [
        at(path, node) for path in ours(*FOLDERS) for name, node in imported(path) if name.startswith("tests")
    ] == []


def test_no_import_stands_inside_a_function() -> None:
    wrong = [
        at(path, node)
        for path in files()
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert wrong == []


def test_only_settings_reads_the_environment() -> None:
    allowed = {"settings.py", "tests"}
    wrong = [
        at(path, node)
        for path in files()
        if path.relative_to(ROOT).parts[0] not in allowed
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    ]

    assert wrong == []


def test_no_file_is_longer_than_300_lines() -> None:
    assert [str(path) for path in files() if len(path.read_text().splitlines()) > LONGEST] == []


def test_no_folder_is_named_for_nothing() -> None:
    names = {part for path in files() for part in path.relative_to(ROOT).with_suffix("").parts}

    assert names & {"lib", "utils", "util", "helpers", "common", "misc"} == set()


def test_a_module_opens_with_one_sentence_of_purpose() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in files()
        if not (text := ast.get_docstring(tree(path))) or not text.split("\n\n")[0].rstrip().endswith((".", "?"))
    ]

    assert wrong == []


def test_handlers_know_no_sql_no_redis_and_no_key() -> None:
    sql = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    # limits.py counts in Redis: its numbers are the handlers' own, and no row; health.py asks Redis whether it is there.
    redis = {"limits.py", "health.py"}
    literals = [
        at(path, node)
        for path in ours("handlers")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.search(node.value)
    ]
    clients = [
        at(path, node)
        for path in ours("handlers")
        for name, node in imported(path)
        if name.partition(".")[0] in ("cache", "aiomysql", "pymysql")
        or (name.startswith("redis") and path.name not in redis)
    ]

    assert literals == []
    assert clients == []


def test_only_base_knows_statuses() -> None:
    """No model raises an HTTP error."""
    names = ("tornado", "http.client", "http")

    assert [at(path, node) for path in ours("models", "cache", "content") for name, node in imported(path)
            if name.startswith(names)] == []  # fmt: skip


def test_routes_stand_on_one_screen_and_urls_are_made_from_their_names() -> None:
    routes = (ROOT / "handlers" / "__init__.py").read_text().splitlines()
    spelt = [
        at(path, node)
        for path in ours("handlers")
        if path.name != "__init__.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "redirect"
        if node.args and isinstance(node.args[0], ast.Constant)
    ]

    assert len(routes) < 120
    assert spelt == []


def test_every_write_of_a_model_takes_who_writes_or_is_known_not_to() -> None:
    """What an editor or member does takes `by`; the calls of the system itself are listed."""
    system = {
        "import_author", "post", "start", "seen", "end", "revoke", "revoke_all", "end_expired", "register", "rename",
        "set_password", "new_password", "set_active", "grant", "note_login", "seed", "invite_admin", "write", "publish_due",
        "follow",
    }  # fmt: skip
    for path in ours("models"):
        for function in ast.walk(tree(path)):
            if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_"):
                uses = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
                if uses & {"self.write", "self.posts.write"} and function.name not in system:
                    names = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
                    assert "by" in names, at(path, function)


def names_of_models() -> list[str]:
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ours("models")]


def test_every_key_index_and_scope_is_in_the_shown_in_of_its_file() -> None:
    missing = []
    known = {id(one) for module in map(importlib.import_module, names_of_models()) for one in vars(module).values()
             if isinstance(one, Scope)}  # fmt: skip
    for path in ours("models"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name)
        declared = {
            attribute for attribute, value in vars(module).items()
            if isinstance(value, Key | Index | Scope) and f"\n{attribute} = " in path.read_text()
        }  # fmt: skip
        shown = next((n for n in tree(path).body if isinstance(n, ast.FunctionDef) and n.name == "shown_in"), None)
        used = {node.id for node in ast.walk(shown) if isinstance(node, ast.Name)} if shown else set()
        missing += [f"{path.name}: {attribute}" for attribute in declared - used]
        for attribute, value in vars(module).items():
            if isinstance(value, List):
                scopes = {id(scope) for scope in value.scopes}
                assert scopes <= known, f"{path.name}: {attribute} hangs on a scope that no shown_in gives"

    assert missing == []


def test_no_two_slots_share_a_name() -> None:
    names: dict[str, str] = {}
    for path in ours("models"):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for attribute, value in vars(module).items():
            if isinstance(value, Key | Index | List | Scope) and f"\n{attribute} = " in path.read_text():
                spelt = f"{type(value).__name__ if isinstance(value, List | Scope) else 'record'} {value.name}"
                assert spelt not in names, f"{spelt}: {path.name} and {names[spelt]}"
                names[spelt] = path.name


def test_rows_are_frozen_and_slotted() -> None:
    for path in ours("models"):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and node.decorator_list and path.name not in ("base.py", "writing.py"):
                assert "frozen=True, slots=True" in ast.unparse(node.decorator_list[0]), at(path, node)


def test_nothing_is_pickled_evaluated_or_run_by_a_shell() -> None:
    banned = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle"}
    imports = [at(path, node) for path in files() for name, node in imported(path) if name.partition(".")[0] in banned]
    calls = [
        at(path, node)
        for path in ours(*FOLDERS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"))
            or any(word.arg == "shell" and getattr(word.value, "value", False) for word in node.keywords)
        )
    ]

    assert imports == []
    assert calls == []


TOLD_BY_NAME = re.compile(r"^(get|post|put|patch|delete|head|prepare|initialize|command|main|tell|total|address_of)$")


def _definitions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Those of a module and of its classes, not those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child
        if isinstance(child, ast.ClassDef):
            yield from _definitions(child)


def test_what_is_public_says_what_the_reader_cannot_see() -> None:
    """Docstrings: every public function and class of more than a few lines, where its name and types do not say it all."""
    wrong = []
    for path in ours("cache", "models", "handlers", "content", "jobs", "settings", "server", "worker"):
        for node in _definitions(tree(path)):
            lines = (node.end_lineno or 0) - node.lineno + 1
            own = not node.name.startswith("_") and not TOLD_BY_NAME.match(node.name)
            if own and lines > 12 and not ast.get_docstring(node):
                bases = " ".join(map(ast.unparse, node.bases)) if isinstance(node, ast.ClassDef) else ""
                if "Table" not in bases and not (
                    bases and part_of(path) == "handlers"
                ):  # their module's sentence is about them
                    wrong.append(f"{at(path, node)} {node.name}")

    assert wrong == []


@pytest.mark.parametrize("folder", ["templates", "handlers", "models", "content"])
def test_prose_is_not_left_undone(folder: str) -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        str(path)
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".html") and pattern.search(path.read_text())
    ]

    assert found == []
