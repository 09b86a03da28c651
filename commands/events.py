"""Supervisor's event listener: records each unexpected exit in exits.jsonl, and rotates Nginx's access log.

Run by supervisord as `python -m commands.events LOG_FOLDER NGINX_PIDFILE`; it speaks Supervisor's listener protocol.
"""

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

EXITS_MAX, ACCESS_MAX = 1_000_000, 100_000_000  # bytes
KEPT = 5  # older files


def main() -> None:
    """Answer one event after another, until Supervisor closes our input."""
    folder, pidfile = Path(sys.argv[1]), Path(sys.argv[2])
    while True:
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        header = _pairs(line)
        body = _pairs(sys.stdin.read(int(header["len"])))
        try:
            handle(header["eventname"], body, folder, pidfile)
        except OSError as error:  # a full disk must not stop the listener, or Supervisor would fill its buffer
            print(f"events: {error}", file=sys.stderr, flush=True)
        sys.stdout.write("RESULT 2\nOK")
        sys.stdout.flush()


def handle(event: str, body: dict[str, str], folder: Path, pidfile: Path) -> None:
    """Do what the event asks for. Raises OSError."""
    if event.startswith("TICK"):
        if rotate(folder / "access.log", ACCESS_MAX):
            os.kill(int(pidfile.read_text()), signal.SIGUSR1)  # Nginx opens its logs anew
    elif event != "PROCESS_STATE_EXITED" or body.get("expected") != "1":
        rotate(folder / "exits.jsonl", EXITS_MAX)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "process": body.get("processname"),
            "pid": int(body["pid"]) if "pid" in body else None,
            "state": event.removeprefix("PROCESS_STATE_"),
            "from": body.get("from_state"),
        }
        with (folder / "exits.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")


def rotate(path: Path, limit: int) -> bool:
    """Move the file aside when it is over the limit: .1 is the newest of the kept ones. True when it was moved."""
    if not path.exists() or path.stat().st_size <= limit:
        return False
    for number in range(KEPT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
    return True


def _pairs(text: str) -> dict[str, str]:
    return dict(token.split(":", 1) for token in text.split() if ":" in token)


if __name__ == "__main__":
    main()
