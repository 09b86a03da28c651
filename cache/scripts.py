"""The Lua scripts of the protocol, as Redis runs them. Each is atomic, and harmless when it runs twice for the same token."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import hiredis

_FOLDER = Path(__file__).with_name("scripts")
_PRELUDE = (_FOLDER / "prelude.lua").read_bytes()


class Script:
    """One script: `scripts/<name>.lua`, behind the prelude that all but `epoch` share, or another."""

    def __init__(self, name: str, prelude: bytes = _PRELUDE) -> None:
        self.name = name
        self.text = prelude + (_FOLDER / f"{name}.lua").read_bytes()
        self.sha = hashlib.sha1(self.text, usedforsecurity=False).hexdigest().encode()

    def pack(self, keys: Sequence[bytes], args: Sequence[bytes | int], *, whole: bool = False) -> bytes:
        """The command as it goes to Redis; `whole` sends the text, which Redis then knows by its hash."""
        command, script = (b"EVAL", self.text) if whole else (b"EVALSHA", self.sha)
        packed: bytes = hiredis.pack_command((command, script, len(keys), *keys, *args))  # type: ignore[arg-type]
        return packed


EPOCH = Script("epoch", b"")
_BOARDS = _PRELUDE + (_FOLDER / "boards.lua").read_bytes()
OF_NAMES = ACQUIRE, FILL, BEGIN, END, RELEASE, DROP = tuple(
    map(Script, ("acquire", "fill", "begin", "end", "release", "drop"))
)
OF_BOARDS = BOARDS_APPLY, BOARDS_CLAIM, BOARDS_LOOK, BOARDS_WANTED, BOARDS_FORGET, BOARDS_REACHED, BOARDS_PART = tuple(
    Script(f"boards_{name}", _BOARDS) for name in ("apply", "claim", "look", "wanted", "forget", "reached", "part")
)
SHARED = (*OF_NAMES, *OF_BOARDS)  # all that are asked under the epoch
