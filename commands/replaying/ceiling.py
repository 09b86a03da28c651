"""`plaza replay ceiling`: the classic short report of so many users and so many requests."""

import asyncio
import secrets
import signal
import sys
from urllib.parse import quote, urlsplit

import click
from rich.markup import escape

from commands.console import err, say
from commands.replaying.exits import OF_VERDICT, BadInput, TargetRefused
from replay import targets
from replay.ceiling import HIDES, Ceiling, Report
from replay.histogram import QUANTILES
from replay.machine import OWN_CPU, own_limits
from replay.targets import Refused, Target

_SAFE = "/?:@!$&'()*+,;=%-._~"  # what an address holds as it is


@click.command()
@click.argument("url")
@click.option("-c", "--users", metavar="N", type=click.IntRange(1, 10_000), default=10, show_default=True,
              help="How many ask at the same time.")  # fmt: skip
@click.option("-n", "--requests", metavar="M", type=click.IntRange(1, 100_000_000), default=1000, show_default=True,
              help="How many requests they send together.")  # fmt: skip
@click.option("--timeout", metavar="S", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True,
              help="Seconds after which a call has failed.")  # fmt: skip
@click.option("--insecure", is_flag=True, help="Take any certificate.")
def command(url: str, users: int, requests: int, timeout: float, insecure: bool) -> None:
    """So many users ask for URL again and again, as fast as they are answered: a closed loop, to find a ceiling.

    The target must be on this machine, or say that it is a replay target. Status 1 when a call failed or was answered by an
    error, 3 when the target is refused, 130 when interrupted.
    """
    if users > requests:
        raise click.UsageError(f"{users:,} users cannot share {requests:,} requests: -n is at least -c")
    if trouble := own_limits(users):
        raise BadInput(trouble)
    report = asyncio.run(_measured(url, users, requests, timeout, insecure))
    show(url, report)
    if report.interrupted:
        sys.exit(OF_VERDICT["interrupted"])
    sys.exit(0 if report.successful == requests else 1)


async def _measured(url: str, users: int, requests: int, timeout: float, insecure: bool) -> Report:
    run_id, stop = secrets.token_hex(6), asyncio.Event()
    try:
        parts = urlsplit(url)
        target = await targets.find(f"{parts.scheme}://{parts.netloc}", insecure=insecure)
        await targets.ask(target, writes=False, run_id=run_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except Refused as error:
        raise TargetRefused(str(error)) from None
    for one in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # from here on there is something to be told; before, Ctrl-C just ends it
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    return await Ceiling(target, _request(target, url, run_id), users, requests, timeout).run(stop)


def _request(target: Target, url: str, run_id: str) -> bytes:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {target.authority}",
        "Accept: */*",
        "Accept-Encoding: gzip",
        f"X-Replay-Run: {run_id}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def show(url: str, report: Report) -> None:
    """The report in the form that such tools have always had, and what it does not say."""
    times, wanted = report.times, f"{report.users:,} users, {report.wanted:,} requests"
    say(f"[bold]{escape(url)}[/]  {wanted}, a closed loop\n")
    slowest, fastest = times.max / 1000, report.fastest_us / 1000
    rows = [("successful calls", f"{report.successful:,}"), ("total", f"{report.seconds:,.2f} s")]
    if times.n:
        rows += [
            ("average", f"{report.average_us / 1000:,.2f} ms"), ("fastest", f"{fastest:,.2f} ms"),
            ("slowest", f"{slowest:,.2f} ms"), ("amplitude", f"{slowest - fastest:,.2f} ms"), ("RPS", f"{report.rate:,.1f}"),
        ]  # fmt: skip
    codes = sorted(report.statuses.items())
    rows += [(f"status code {status}", f"{count:,}") for status, count in codes]
    rows += [(f"failed calls: {word}", f"{count:,}") for word, count in report.failed.most_common()]
    rows += [(name, "n/a" if (ms := times.quantile_ms(share)) is None else f"{ms:,.2f} ms")
             for name, share in QUANTILES.items()]  # fmt: skip
    wide = max(len(value.rpartition(" ")[0] or value) for _, value in rows)
    for name, value in rows:
        number, _, unit = value.rpartition(" ") if " " in value else (value, "", "")
        say(f"  {name:<24}{number:>{wide}} {unit}".rstrip())
    say(f"\n[dim]{HIDES}[/]")
    if failed := report.failed.total():
        took = report.longest_failure_us / 1e6
        err.print(f"[yellow]![/] {failed:,} calls that failed are not in these times; they took up to {took:,.2f} s.")
    if report.own_cpu > OWN_CPU:
        err.print(f"[yellow]![/] This process computed {report.own_cpu:.0%} of the time: the ceiling may be its own.")
    if codes and all(300 <= status < 400 for status, _ in codes):
        err.print("[yellow]![/] Every answer sent the visitor elsewhere; what stands there was not measured.")
