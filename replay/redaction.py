"""Secrets are taken out before anything is written: a placeholder stands for each, the same one wherever the secret stood.

A placeholder is an HMAC under a key that is made for one capture. Whoever has the key can recognise in it a member of a copy of
the site, as `plaza replay prepare` must; nobody can read the secret out of it.
"""

import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from replay.leaks import leaks
from replay.records import PLACEHOLDER
from replay.sites import Site

POLICY: Final = "plaza-redaction/1"
KEPT_HEADERS: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "content-encoding", "content-type",
    "cookie", "dnt", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "origin", "pragma",
    "range", "referer", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "upgrade-insecure-requests",
    "user-agent", "x-requested-with",
})  # fmt: skip
PLAIN_COOKIES: Final = frozenset({"fresh", "lang", "language", "locale", "member", "theme", "voted"})
_PLAIN_VALUE: Final = re.compile(r"[\w-]{0,12}", re.ASCII)
OPAQUE: Final = frozenset({"content-type", "if-match", "if-none-match", "range", "if-range"})  # no words of anybody's
_WORD: Final = re.compile(r"[\w-]{12,}", re.ASCII)
_MOST_KNOWN: Final = 200_000  # secrets that are looked for in texts
_SHORTEST_KNOWN: Final = 12  # characters; shorter ones are words as well
_OPEN: Final = re.compile(r"\{(?=\{[a-z][a-z0-9_.]*:[A-Za-z0-9_-]{1,40}\}\})")
_OPEN_BYTES: Final = re.compile(_OPEN.pattern.encode())


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: bytes

    def placeholder(self, kind: str, value: str) -> str:
        digest = hmac.digest(self.secret, value.encode(errors="surrogatepass"), "sha256")
        return f"{{{{{kind}:{digest[:6].hex()}}}}}"


def new_key(folder: Path | None = None) -> Key:
    """A key for one capture; in a file of its own in the folder, that only its owner reads, if it is to be known later."""
    key = Key(secrets.token_hex(4), secrets.token_bytes(32))
    if folder:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(folder / key.id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.secret.hex() + "\n")
    return key


def read_key(path: Path) -> Key:
    """Raises OSError, ValueError."""
    secret = bytes.fromhex(path.read_text().strip())
    if len(secret) != 32:
        raise ValueError(f"{path} is no key of a capture")
    return Key(path.name, secret)


class Redactor:
    """`again`: the placeholders that are there already are kept; else they were typed by somebody, and are made to be none."""

    def __init__(self, key: Key, site: Site, *, again: bool = False) -> None:
        self._key, self._site, self._again = key, site, again
        self._known: dict[str, str] = {}
        self._said = lru_cache(8192)(self._say)

    def secret(self, kind: str, value: str) -> str:
        """The placeholder of a secret value; nothing for nothing. It is known from now on, in whatever text it stands."""
        if not value or (self._again and PLACEHOLDER.fullmatch(value)):
            return value
        if found := self._known.get(value):
            return found
        stable = value.strip().lower() if kind == "email" else value
        made = self._key.placeholder(
            kind, self._site.stable_secret(kind, stable) if kind in ("cookie", "token") else stable
        )
        if len(value) >= _SHORTEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[value] = made
        return made

    def text(self, text: str, *, addresses: bool = True) -> str:
        """What somebody wrote, without what looks like a secret and without the secrets that are known."""
        return self._without(self._shut(text), addresses)

    def _shut(self, text: str) -> str:
        """What somebody typed that looks like a placeholder is made to be none."""
        return text if self._again else _OPEN.sub("{ ", text)

    def _without(self, text: str, addresses: bool = True) -> str:
        at, pieces = 0, list[str]()
        for leak in leaks(text, addresses=addresses):
            pieces += [text[at : leak.begin], self.secret(leak.kind, text[leak.begin : leak.end])]
            at = leak.end
        if pieces:
            text = "".join(pieces) + text[at:]
        if self._known and len(text) >= _SHORTEST_KNOWN:
            text = _WORD.sub(lambda word: self._known.get(word[0], word[0]), text)
        return text

    def target(self, target: str) -> str:
        path, mark, query = target.partition("?")
        return "/".join(self._segments(path.split("/"))) + mark + (self.form(query) if query else "")

    def _segments(self, segments: list[str]) -> list[str]:
        found = [self._escaped(segment, unquote) for segment in segments]
        for number, segment in enumerate(segments[:-1]):
            if segment in self._site.secret_segments and segments[number + 1]:
                found[number + 1] = self.secret("secret", segments[number + 1])
        return found

    def _escaped(self, raw: str, decode: Callable[[str], str]) -> str:
        """`raw` as it was, if nothing in it has to go; else quoted anew, with its placeholders as they are."""
        plain = self._shut(decode(raw))
        told = self._without(plain)
        if told == plain:
            return raw if self._again else raw.replace("{{", "%7B%7B")
        at, pieces = 0, list[str]()
        for placeholder in PLACEHOLDER.finditer(told):
            pieces += [quote(told[at : placeholder.start()], safe=""), placeholder[0]]
            at = placeholder.end()
        return "".join(pieces) + quote(told[at:], safe="")

    def form(self, text: str) -> str:
        """A query, or the body of a form."""
        return "&".join(map(self._pair, text.split("&")))

    def _pair(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        if not sign:
            return self._escaped(pair, unquote_plus)
        if kind := self._site.secret_fields.get(unquote_plus(name).strip().lower()):
            return f"{name}={self.secret(kind, unquote_plus(value))}"
        return f"{name}={self._escaped(value, unquote_plus)}"

    def headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Those that may be kept, their names in lower case."""
        lower = ((name.lower(), value) for name, value in headers)
        return tuple((name, self.header(name, value)) for name, value in lower if name in KEPT_HEADERS)

    def header(self, name: str, value: str) -> str:
        if name == "cookie":
            return self.cookies(value)
        if name == "authorization":
            scheme, _, secret = value.strip().partition(" ")
            return f"{scheme} {self.secret('token', secret.strip())}" if secret else self.secret("secret", scheme)
        if name in ("referer", "origin"):
            return self.address(value)
        return self._said(name, value)

    def _say(self, name: str, value: str) -> str:
        return value if name in OPAQUE else self.text(value, addresses=name != "user-agent")

    def address(self, url: str) -> str:
        """An absolute address, or one within the site."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        if not parts.scheme or not parts.netloc:
            return self.target(url)
        front = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return front + self.target(url[url.index(parts.netloc) + len(parts.netloc) :])

    def cookies(self, header: str) -> str:
        pairs = (pair.strip().partition("=") for pair in header.split(";") if pair.strip())
        return "; ".join(f"{bare(name)}{sign}{self.cookie(bare(name), value)}" for name, sign, value in pairs)

    def cookie(self, name: str, value: str) -> str:
        return value if is_plain_cookie(name, value, self._site) else self.secret("cookie", value.strip('"'))

    def body(self, content_type: str, body: bytes, *, truncated: bool = False) -> bytes:
        """By its type. Of JSON that is not whole nothing is kept: who could tell where in it a secret stands?"""
        kind, _, options = content_type.partition(";")
        kind = kind.strip().lower()
        if not body:
            return body
        if kind == "multipart/form-data" and (boundary := re.search(r'boundary="?([^";\s]{1,200})', options)):
            return self._multipart(body, b"--" + boundary[1].encode())
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return self._bytes(body)
        if kind == "application/x-www-form-urlencoded":
            return self.form(text).encode()
        if kind == "application/json" or kind.endswith("+json"):
            return b"" if truncated else self._json(text).encode()
        return self.text(text).encode()

    def _bytes(self, body: bytes) -> bytes:
        return body if self._again else _OPEN_BYTES.sub(b"{ ", body)

    def _json(self, text: str) -> str:
        try:
            told = json.loads(text)
            made = self._value(told)
            return text if made == told else json.dumps(made, ensure_ascii=False)
        except (ValueError, RecursionError):
            fields = "|".join(map(re.escape, self._site.secret_fields))
            pattern = rf'("(?:{fields})"\s*:\s*")([^"]*)'
            return self.text(
                re.sub(pattern, lambda found: found[1] + self.secret("secret", found[2]), text, flags=re.IGNORECASE)
            )

    def _value(self, value: Any, kind: str = "") -> Any:
        match value:
            case dict():
                return {
                    name: self._value(one, self._site.secret_fields.get(name.lower(), ""))
                    for name, one in value.items()
                }
            case list():
                return [self._value(one, kind) for one in value]
            case str():
                return self.secret(kind, value) if kind else self.text(value)
            case int() | float() if kind and not isinstance(value, bool):
                return self.secret(kind, str(value))
        return value

    def _multipart(self, body: bytes, boundary: bytes) -> bytes:
        return boundary.join(map(self._part, body.split(boundary)))

    def _part(self, part: bytes) -> bytes:
        head, gap, content = part.partition(b"\r\n\r\n")
        if not gap:
            return self._bytes(part)
        name = re.search(rb'(?<=[; ])name="([^"]*)"', head)
        file = b"filename" in head
        end = b"\r\n" if content.endswith(b"\r\n") else b""
        value = content.removesuffix(end)
        try:
            kind = self._site.secret_fields.get(name[1].decode().lower(), "") if name and not file else ""
            if kind or not file or b"Content-Type: text/" in head:
                value = (self.secret(kind, value.decode()) if kind else self.text(value.decode())).encode()
            else:
                value = self._bytes(value)
            head = self.text(head.decode()).encode()
        except UnicodeDecodeError:
            value = self._bytes(value)
        return head + gap + value + end


def is_plain_cookie(name: str, value: str, site: Site) -> bool:
    """Whether it may be kept as it is: it tells a taste, not who somebody is."""
    return name in PLAIN_COOKIES and name not in site.secret_cookies and _PLAIN_VALUE.fullmatch(value) is not None


def bare(cookie: str) -> str:
    """The name of a cookie under http: the prefixes that tie it to https are left out, for the target may have another scheme."""
    return cookie.removeprefix("__Host-").removeprefix("__Secure-")
