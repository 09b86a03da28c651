"""Secrets of every kind, and what takes them out, for the tests of both."""

from replay.keys import Key
from replay.plaza import Plaza
from replay.records import Answer, Request
from replay.redaction import Redactor

KEY = Key("k1", b"0" * 32)
SITE = Plaza()
TOKEN = "plz_" + "aB3-" * 10 + "xyz"
SESSION = "Zx9_" * 10 + "abc"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
FORM, JSON, PARTS = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=xyz"


def redactor(**options: bool) -> Redactor:
    return Redactor(KEY, SITE, **options)


def request(target: str = "/", headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Request:
    return Request(0, 0, "s1", 0, "POST", target, Answer(200, 1), headers=headers, body=body, body_length=len(body))
