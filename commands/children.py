"""Processes that a command has started itself."""

import subprocess
from typing import Any


def end(process: "subprocess.Popen[Any]", patience: float) -> None:
    """Ask it to end, and make it after so many seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
