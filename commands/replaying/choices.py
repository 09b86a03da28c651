"""What options of the laboratory's commands may be: durations, paces, shares, objectives, and so on."""

import re
from typing import Any

import click

from replay import objectives, paces

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class Duration(click.ParamType[float]):
    """Seconds, written as 90, 90s, 10m, 250ms or 1h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)", str(value))
        if found is None or not float(found[1]):
            self.fail(f"'{value}' is no duration such as 30s, 10m or 1h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


class Share(click.ParamType[float]):
    """From 0 to 1, written as 50% or 0.5."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", str(value))
        share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
        if not 0 < share <= 1:
            self.fail(f"'{value}' is no share such as 50%", param, ctx)
        return share


class Pace(click.ParamType[paces.Pace]):
    name = "pace"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> paces.Pace:
        if isinstance(value, paces.Pace):
            return value
        try:
            return paces.parse(value)
        except paces.NoPace as error:
            self.fail(str(error), param, ctx)


class Objectives(click.ParamType[tuple[objectives.Wanted, ...]]):
    name = "objectives"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[objectives.Wanted, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return objectives.parse(value)
        except objectives.NoObjective as error:
            self.fail(str(error), param, ctx)


class Pattern(click.ParamType[str]):
    """A regular expression that can be one; kept as text."""

    name = "pattern"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            re.compile(value)
        except re.error as error:
            self.fail(f"'{value}' is no regular expression: {error}", param, ctx)
        return str(value)


class Rewrite(click.ParamType[tuple[str, str]]):
    """'pattern=>replacement'; the replacement may hold \\1 for a group."""

    name = "rewrite"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value[0], value[1]
        pattern, arrow, replacement = str(value).partition("=>")
        if not arrow or not pattern:
            self.fail(f"'{value}' is not written as 'pattern=>replacement'", param, ctx)
        try:
            # A group that is not there is found out now, not in the middle of a plan.
            re.compile(f"(?:{pattern})|").sub(replacement, "")
        except (re.error, IndexError) as error:
            self.fail(f"'{value}': {error}", param, ctx)
        return pattern, replacement
