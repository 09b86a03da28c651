"""What looks like a secret, wherever it stands: redaction takes it out, and a check of a record file looks for what is left."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final, NamedTuple

_ADDRESS_4: Final = re.compile(r"(?<![\w./-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)", re.ASCII)
_ADDRESS_6: Final = re.compile(r"(?<![\w:.])[0-9a-f]{3,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.ASCII | re.IGNORECASE)
# (kind of placeholder, what is said of it, a word without which it cannot be there, the pattern, or its one group); the first
# that fits counts.
# Possessive, and begun only where a word begins: what strangers send is looked through once, not once for each letter.
_PATTERNS: Final[tuple[tuple[str, str, str, re.Pattern[str]], ...]] = (
    ("secret", "private key", "PRIVATE KEY", re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*?(?:-----END|\Z)", re.DOTALL)),
    ("secret", "password in an address", "://", re.compile(r"(?<=://)[^\s/@:]*+:[^\s/@{]++(?=@)")),
    ("email", "mail address", "@", re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")),
    ("secret", "JSON web token", "eyJ", re.compile(r"(?<![\w-])eyJ[\w-]{5,}+\.[\w-]{5,}+\.[\w-]*+", re.ASCII)),
    ("secret", "password hash", "$argon2", re.compile(r"\$argon2\w*\$[^\s'\"]++", re.ASCII)),
    ("token", "API token", "plz_", re.compile(r"(?<![\w-])plz_[\w-]{20,}+", re.ASCII)),
    ("password", "password beside its name", "", re.compile(
        r"(?<!\{\{)(?i:password|passwd|passphrase)[\"'\]]*\s*(?:=>|[:=])\s*[\"']?(?!\{\{)([^\s\"'&,;{}<>\\]++)", re.ASCII)),
    ("token", "bearer token", "earer", re.compile(r"(?<=[Bb]earer )(?=[^\s{]*\d)[\w.~+/=-]{8,}+", re.ASCII)),
    # What secrets.token_urlsafe(24) and longer ones look like; slugs have no capitals, and names of ours no digits.
    ("secret", "long random word", "", re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{32,}+", re.ASCII)),
)  # fmt: skip
_RANDOM: Final = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[\w-]{20,}", re.ASCII)
WORD: Final = re.compile(r"[\w-]{20,}", re.ASCII)  # what looks random is at least one of these
_OURS: Final = "plz_"
_SHORTEST: Final = 6  # a@b.cd


class Leak(NamedTuple):
    """Where it begins and ends, the kind of placeholder for it, and what it is in words."""

    begin: int
    end: int
    kind: str
    what: str


def looks_random(text: str) -> bool:
    """Whether it can be nothing but a secret, so that it may be looked for in all texts."""
    return bool(_RANDOM.fullmatch(text) or text.startswith(_OURS))


def may_hold_random(text: str) -> bool:
    """Whether anything in it could be what `looks_random` finds, also once it is no longer quoted: sooner yes than no."""
    return "%" in text or _OURS in text or any(_RANDOM.fullmatch(word) for word in WORD.findall(text))


def leaks(text: str, *, addresses: bool = True) -> list[Leak]:
    """In their order, none in another. `addresses`: also those of computers, which look like the versions of programs."""
    if len(text) < _SHORTEST:
        return []
    found: list[Leak] = []
    for kind, what, word, pattern in _PATTERNS:
        if word in text:
            found += [Leak(*match.span(pattern.groups), kind, what) for match in pattern.finditer(text)]
    if addresses:
        found += _addresses(text)
    return list(_apart(sorted(found, key=lambda leak: leak.begin))) if found else found


def _addresses(text: str) -> Iterator[Leak]:
    for pattern, sign, least in ((_ADDRESS_4, ".", 3), (_ADDRESS_6, ":", 2)):
        if text.count(sign) >= least:
            for match in pattern.finditer(text):
                if _tells_of_somebody(match[0]):
                    yield Leak(match.start(), match.end(), "address", "IP address")


def _tells_of_somebody(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _apart(found: list[Leak]) -> Iterator[Leak]:
    end = 0
    for leak in found:
        if leak.begin >= end:
            yield leak
            end = leak.end
