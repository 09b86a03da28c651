"""How the commands of the laboratory end: each reason has its own status, so that a script can tell them apart."""

from typing import Final

from commands.console import Trouble
from replay.results import Verdict

INTERRUPTED: Final = 130
NOT_COMPARED: Final = 4  # answers were to be, and a pass is missing
DIFFERENT: Final = 5  # answers differ more than they do by themselves
OF_VERDICT: Final[dict[Verdict, int]] = {"pass": 0, "missed": 1, "stopped": 1, "invalid": 4, "interrupted": 130}


class BadInput(Trouble):
    """A file or an option that is none."""

    exit_code = 2


class NotWritten(Trouble):
    """What was measured could not be kept."""

    exit_code = OF_VERDICT["invalid"]


class TargetRefused(Trouble):
    """The target does not say that it is one, or is not there."""

    exit_code = 3
