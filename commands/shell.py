"""`plaza shell`: Python with the models at hand and `await` at the prompt."""

import ast
import asyncio
import code
import concurrent.futures
import inspect
import sys
import threading
from types import CodeType, FunctionType
from typing import Any

import click

import models
from commands.console import Trouble, out
from commands.instance import current
from commands.migrate import reachable
from settings import Settings

try:
    import readline  # noqa: F401 - lines can be edited and recalled where the system has it
except ImportError:
    pass


class Prompt(code.InteractiveConsole):
    """Runs what is typed on the event loop that the models live on, so `await` works at the prompt."""

    def __init__(self, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(names, "<shell>")
        self.loop = loop
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: CodeType) -> None:
        outcome: concurrent.futures.Future[Any] = concurrent.futures.Future()

        async def run() -> None:
            try:
                result = FunctionType(code, self.locals)()
                outcome.set_result(await result if inspect.iscoroutine(result) else result)
            except BaseException as error:
                outcome.set_exception(error)

        task = asyncio.run_coroutine_threadsafe(run(), self.loop)
        try:
            outcome.result()
        except SystemExit:
            raise
        except KeyboardInterrupt:
            task.cancel()
            self.write("\nKeyboardInterrupt\n")
        except BaseException:
            self.showtraceback()


@click.command()
@click.option("-c", "line", help="Run this line and end.")
def command(line: str | None) -> None:
    """Python with the models at hand: `await posts.front(1)`. Writes go through the cache as the site's do."""
    settings = current()
    reachable(settings)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="shell loop", daemon=True).start()
    connected = models.connected(settings)
    tables = asyncio.run_coroutine_threadsafe(connected.__aenter__(), loop).result()
    names = {name: getattr(tables, name) for name in type(tables).__slots__}
    prompt = Prompt(names | {"models": tables, "settings": settings, "asyncio": asyncio}, loop)
    try:
        if line is not None:
            if prompt.runsource(line):
                raise Trouble("that line is not complete")
        else:
            sys.ps1, sys.ps2 = "plaza> ", "   ... "
            out.print(banner(settings, list(names)))
            prompt.interact(banner="", exitmsg="")
    finally:
        asyncio.run_coroutine_threadsafe(connected.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)


def banner(settings: Settings, names: list[str]) -> str:
    """Green where nothing can be hurt, magenta where members would notice."""
    colour, word = ("magenta", "production") if settings.production else ("green", "development")
    return f"[bold {colour}]{word}[/] {settings.title} at {settings.site_url}\n[dim]{', '.join(names)}, models, settings[/]"
