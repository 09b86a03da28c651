"""Static files under names that change with their content, so that browsers may keep them for ever."""

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

from tornado.web import StaticFileHandler

ROOT = Path(__file__).resolve().parent.parent / "static"
_COMPRESSED = frozenset({".css", ".js", ".svg"})


def publish(target: Path) -> dict[str, str]:
    """Copy each file of `static/` to `<target>/<stem>.<hash><suffix>`, a .gz beside it; file name -> address.

    Files of earlier versions stay: a page drawn before a restart still finds its own. Several processes may do it at once.
    """
    target.mkdir(parents=True, exist_ok=True)
    addresses: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            name = path.relative_to(ROOT)
            hashed = name.with_name(f"{name.stem}.{hashlib.sha256(data).hexdigest()[:8]}{name.suffix}")
            _write(target / hashed, data)
            if name.suffix in _COMPRESSED:
                _write(target / f"{hashed}.gz", gzip.compress(data, 9, mtime=0))
            addresses[str(name)] = f"/static/{hashed}"
    return addresses


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f".{path.name}.{os.getpid()}")
    mine.write_bytes(data)
    mine.replace(path)


class StaticFile(StaticFileHandler):
    """Serves what was published, where there is no Nginx to do it; says in plain words when there is no such file."""

    def set_default_headers(self) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "strict-origin-when-cross-origin")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("There is no such file.\n" if status_code == 404 else f"{self._reason}\n")
