"""A group of commands, each in a file of its own that is loaded when it is called, so that each starts as fast as it can."""

import difflib
import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

from settings import ROOT


class Group(click.Group):
    """`table`: name, the module in `package` that has its `command`, and what it is for; this text is what `--help` shows."""

    def __init__(self, *args: Any, package: str, table: dict[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self._package, self._table = package, table

    def list_commands(self, ctx: click.Context) -> list[str]:
        folder = ROOT / self._package.replace(".", "/")
        return [name for name, (module, _) in self._table.items() if (folder / f"{module}.py").exists()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"{self._package}.{self._table[cmd_name][0]}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and name not in self.list_commands(ctx):
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            ctx.fail(f"There is no command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._table[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]
