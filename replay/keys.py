"""The key of a capture: placeholders are HMACs under it; whoever has it can recognise in them members of a copy of the site.

`plaza replay prepare` must; nobody can read a secret out of one.
"""

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: bytes

    def placeholder(self, kind: str, value: str) -> str:
        digest = hmac.digest(self.secret, value.encode(errors="surrogatepass"), "sha256")
        return f"{{{{{kind}:{digest[:6].hex()}}}}}"


def new_key() -> Key:
    """A key for one capture."""
    return Key(secrets.token_hex(4), secrets.token_bytes(32))


def keep_key(key: Key, folder: Path) -> None:
    """In a file of its own in the folder, which only its owner reads. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / key.id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.secret.hex() + "\n")


def read_key(path: Path) -> Key:
    """Raises OSError, ValueError."""
    secret = bytes.fromhex(path.read_text().strip())
    if len(secret) != 32:
        raise ValueError(f"{path} is no key of a capture")
    return Key(path.name, secret)
