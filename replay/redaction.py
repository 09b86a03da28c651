"""Secrets are taken out before anything is written: a placeholder stands for each, the same one wherever the secret stood.

Whatever cannot be read for secrets, because it is not what it is said to be, is left out.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from replay.keys import Key
from replay.leaks import WORD, leaks, looks_random
from replay.records import PLACEHOLDER
from replay.remembering import Remembering, Secrets
from replay.secret_names import kind_of
from replay.sites import Site

POLICY: Final = "plaza-redaction/2"
KEPT_HEADERS: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "content-encoding", "content-type",
    "cookie", "dnt", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "origin", "pragma",
    "range", "referer", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "upgrade-insecure-requests",
    "user-agent", "x-requested-with",
})  # fmt: skip
PLAIN_COOKIES: Final = frozenset({"fresh", "lang", "language", "locale", "member", "theme", "voted"})
SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate"})
DEEPEST: Final = 2  # addresses that stand in an address
_PLAIN_VALUE: Final = re.compile(r"[\w-]{0,12}", re.ASCII)
OPAQUE: Final = frozenset({"content-type", "if-match", "if-none-match", "if-range", "range"})  # words of programs
SHORTEST_RANDOM: Final = 20  # characters
_ADDRESS: Final = re.compile(r"https?://|/(?!/)[^\s]*[?&#=]|/[\w.~%-]+/")
_ORIGIN: Final = re.compile(r"(https?://)(?:[^/?#@\s]*@)?([^/?#@\s]*)", re.IGNORECASE)
_COOKIE_NAME: Final = re.compile(r"[!#$%&'*+.^`|~\w-]{1,60}", re.ASCII)
_FORM: Final = re.compile(r"[\w.%+\[\]-]{1,60}=")
_JSON: Final = re.compile(r"\s*(?:\[|\{(?!\{))")
_TELLING: Final = re.compile("pass|pwd|token|secret|mail|auth|sess|csrf|密码|口令", re.IGNORECASE)
_HALF: Final = re.compile(r"[\ud800-\udfff]")
_PART_NAME: Final = re.compile(r'[; ]name=(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)
_FILE_NAME: Final = re.compile(r'filename\*?=(?:"[^"]+"|[^\s;"]+)', re.IGNORECASE)  # an empty one is none
_PART_TYPE: Final = re.compile(r"^Content-Type:\s*([^\s;]+)", re.IGNORECASE | re.MULTILINE)
_OPEN: Final = re.compile(r"\{(?=\{[a-z][a-z0-9_.]*:[A-Za-z0-9_-]{1,40}\}\})")
_OPEN_BYTES: Final = re.compile(_OPEN.pattern.encode())


class NotKept(Exception):
    """A body that nobody can read for secrets: what it is said to be is not what it is."""


class Redactor:
    """`again`: the placeholders that are there already are kept; else they were typed by somebody, and are made to be none."""

    def __init__(self, key: Key, site: Site, *, again: bool = False) -> None:
        self._key, self._site, self._again = key, site, again
        self._known = Secrets()
        self._remembered = Remembering(self._redacted, self._known)

    def secret(self, kind: str, value: str) -> str:
        """The placeholder of a secret value; nothing for nothing. What looks random is known from now on, in whatever text it
        stands; what somebody chose is not, for it may be a word of everybody's."""
        if not value or (self._again and PLACEHOLDER.fullmatch(value)):
            return value
        if found := self._known.get(value):
            return found
        stable = value.strip().lower() if kind == "email" else value
        made = self._key.placeholder(
            kind, self._site.stable_secret(kind, stable) if kind in ("cookie", "token") else stable
        )
        if looks_random(value):
            self._known.add(value, made)
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
        if len(text) >= SHORTEST_RANDOM:
            text = WORD.sub(lambda word: self._known.get(word[0], word[0]), text)
        return text

    def target(self, target: str) -> str:
        return self._remembered(":path", target)

    def _target(self, target: str, depth: int) -> str:
        """`depth`: how many addresses it stands in; a third is looked at as a text."""
        rest, mark, fragment = target.partition("#")
        path, sign, query = rest.partition("?")
        told = "/".join(self._segments(path.split("/"))) + sign + (self.form(query, depth) if query else "")
        return told + mark + (self.form(fragment, depth) if fragment else "")

    def _segments(self, segments: list[str]) -> list[str]:
        found = [self._segment(segment) for segment in segments]
        for number, segment in enumerate(segments[:-1]):
            if segment in self._site.secret_segments and segments[number + 1]:
                found[number + 1] = self.secret("secret", segments[number + 1])
        return found

    def _segment(self, segment: str) -> str:
        """With its parameters, such as `;jsessionid=1A2B` of servers that do without cookies."""
        name, *parameters = segment.split(";")
        return ";".join([self._escaped(name, unquote), *(self._pair(one, DEEPEST) for one in parameters)])

    def _escaped(self, raw: str, decode: Callable[[str], str], depth: int = 9) -> str:
        """`raw` as it was, if nothing in it has to go; else quoted anew, with its placeholders as they are."""
        plain = self._shut(decode(raw))
        inner = depth < DEEPEST and _ADDRESS.match(plain)
        told = self.address(plain, depth + 1) if inner else self._without(plain)
        if told == plain:
            return raw if self._again else raw.replace("{{", "%7B%7B")
        at, pieces = 0, list[str]()
        for placeholder in PLACEHOLDER.finditer(told):
            pieces += [_quoted(told[at : placeholder.start()]), placeholder[0]]
            at = placeholder.end()
        return "".join(pieces) + _quoted(told[at:])

    def form(self, text: str, depth: int = 0) -> str:
        """A query, or the body of a form."""
        return "&".join(self._pair(pair, depth) for pair in text.split("&"))

    def _pair(self, pair: str, depth: int) -> str:
        name, sign, value = pair.partition("=")
        shown = self._escaped(name, unquote_plus)
        if not sign:
            return shown
        if kind := kind_of(unquote_plus(name), self._site):
            return f"{shown}={self.secret(kind, unquote_plus(value))}"
        return f"{shown}={self._escaped(value, unquote_plus, depth)}"

    def headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Those that may be kept, their names in lower case."""
        return tuple([
            (kept, self._remembered(kept, value)) for name, value in headers if (kept := name.lower()) in KEPT_HEADERS
        ])  # fmt: skip

    def header(self, name: str, value: str) -> str:
        return self._remembered(name, value)

    def _redacted(self, name: str, value: str) -> str:
        """A header; what is asked for counts as the header `:path`, as in HTTP/2."""
        if name == ":path":
            return self._target(value, 0)
        if name == "cookie":
            return self.cookies(value)
        if name == "authorization":
            scheme, _, secret = value.strip().partition(" ")
            known = scheme.lower() in SCHEMES and secret
            return f"{scheme} {self.secret('token', secret.strip())}" if known else self.secret("token", value.strip())
        if name in ("referer", "origin"):
            return self.address(value)
        return self._shut(value) if name in OPAQUE else self.text(value, addresses=name != "user-agent")

    def address(self, url: str, depth: int = 0) -> str:
        """An absolute address, or one within the site."""
        found = _ORIGIN.match(url)
        if found is None:
            return self._target(url, depth)
        return f"{found[1]}{self._without(found[2])}{self._target(url[found.end() :], depth)}"

    def cookies(self, header: str) -> str:
        told = []
        for pair in header.split(";"):
            name, sign, value = pair.strip().partition("=")
            if sign and _COOKIE_NAME.fullmatch(name):
                told.append(f"{bare(name)}={self.cookie(bare(name), value)}")
            elif pair.strip():  # a cookie without a name is all value
                told.append(self.secret("cookie", pair.strip()))
        return "; ".join(told)

    def cookie(self, name: str, value: str) -> str:
        return value if is_plain_cookie(name, value, self._site) else self.secret("cookie", value.strip('"'))

    def body(self, content_type: str, body: bytes, *, truncated: bool = False) -> bytes:
        """By its type, and by what it looks like: programs send JSON as a form. What can be read as neither is not kept, for who
        could tell where in it a secret stands?"""
        try:
            return self._body(content_type, body, truncated)
        except (NotKept, RecursionError):
            return b""

    def _body(self, content_type: str, body: bytes, truncated: bool) -> bytes:
        kind, _, options = content_type.partition(";")
        kind = kind.strip().lower()
        if not body:
            return body
        if kind.startswith("multipart/") or body.startswith(b"--"):
            boundary = re.search(r'boundary="?([^";\s]{1,200})', options)
            if boundary is None:
                raise NotKept
            return self._multipart(body, b"--" + boundary[1].encode("latin-1", "replace"))
        text = body.decode(errors="surrogateescape")
        form = kind == "application/x-www-form-urlencoded"
        if kind.endswith("json") or _JSON.match(text):
            try:
                text = self._json(text, truncated)
            except NotKept:  # a text may begin as JSON does
                if not kind.startswith("text/") or _TELLING.search(text):
                    raise
                text = self.text(text)
        elif form or _FORM.match(text):
            text = self.form(text)
        elif not text.isascii() and any("\udc80" <= sign <= "\udcff" for sign in text):
            raise NotKept  # no text at all
        else:
            text = self.text(text)
        return text.encode(errors="surrogateescape")

    def _json(self, text: str, truncated: bool) -> str:
        if truncated:
            raise NotKept
        try:
            told = json.loads(text)
        except ValueError:
            raise NotKept from None
        made = self._value(told)
        if made == told:
            return text
        written = json.dumps(made, ensure_ascii=False)
        return written if _HALF.search(written) is None else json.dumps(made)

    def _value(self, value: Any, kind: str = "") -> Any:
        match value:
            case dict():
                return {
                    self.text(name): self._value(one, kind_of(name, self._site) or kind) for name, one in value.items()
                }
            case list():
                return [self._value(one, kind) for one in value]
            case str():
                return self.secret(kind, value) if kind else self._line(value)
            case int() | float() if kind and not isinstance(value, bool):
                return self.secret(kind, str(value))
        return value

    def _line(self, text: str) -> str:
        return self.address(self._shut(text)) if _ADDRESS.match(text) else self.text(text)

    def _multipart(self, body: bytes, boundary: bytes) -> bytes:
        before, *parts = body.split(boundary)
        if before.strip() or not parts:
            raise NotKept
        return boundary.join([before, *map(self._part, parts)])

    def _part(self, part: bytes) -> bytes:
        head, gap, content = part.partition(b"\r\n\r\n")
        if not gap:
            if part.strip(b"-\r\n\t "):
                raise NotKept
            return part
        words = head.decode(errors="surrogateescape")
        name, file, type = (pattern.search(words) for pattern in (_PART_NAME, _FILE_NAME, _PART_TYPE))
        end = b"\r\n" if content.endswith(b"\r\n") else b""
        value = content.removesuffix(end)
        field = (name[1] or name[2] or "") if name else ""
        if kind := kind_of(field, self._site):
            value = self.secret(kind, value.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        elif not file or (type and type[1].startswith("text/")):
            value = self._part_text(type[1] if type else "", value)
        elif not self._again:
            value = _OPEN_BYTES.sub(b"{ ", value)
        return self.text(words).encode(errors="surrogateescape") + gap + value + end

    def _part_text(self, type: str, value: bytes) -> bytes:
        if type.endswith("json"):
            return self._body(type, value, False)
        return self._line(value.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def is_plain_cookie(name: str, value: str, site: Site) -> bool:
    """Whether it may be kept as it is: it tells a taste, not who somebody is."""
    return name in PLAIN_COOKIES and name not in site.secret_cookies and _PLAIN_VALUE.fullmatch(value) is not None


def bare(cookie: str) -> str:
    """The name of a cookie under http: the prefixes that tie it to https are left out, for the target may have another scheme."""
    return cookie.removeprefix("__Host-").removeprefix("__Secure-")
