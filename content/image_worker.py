"""The process that decodes pictures: it has no secrets, little memory, and the time that nobody else wants.

It is asked by lines of JSON on its standard input, `{"path", "width", "height"}`, and answers each by a line, `{"size", "mime",
"width", "height"}` or `{"wrong"}`, and then so many bytes.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

from content import images

MEMORY = 1 << 30  # bytes of addresses; a picture of 100 million pixels takes 400 MB
_PR_SET_PDEATHSIG = 1


def confine(parent: int) -> None:
    """Nothing of this process outlives its parent, fills the disk, or holds up a page."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if os.getppid() != parent:  # it died before it could be named
        sys.exit(0)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 32),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which ends us in its own time


def answer(line: bytes) -> tuple[dict[str, object], bytes]:
    asked = json.loads(line)
    try:
        made = images.resized(Path(asked["path"]), asked["width"], asked["height"])
    except images.BROKEN as error:
        return {"size": 0, "wrong": f"{type(error).__name__}: {error}"[:200]}, b""
    return {"size": len(made.data), "mime": made.mime, "width": made.width, "height": made.height}, made.data


def main() -> None:
    confine(int(sys.argv[1]))
    for line in sys.stdin.buffer:
        head, data = answer(line)
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
