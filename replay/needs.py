"""What a record file needs before it can be replayed: which placeholders no answer fills, and what is known of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from replay.jar import read as cookies
from replay.plaza import CHANGES_PASSWORD, REGISTERS, SIGNS_IN, Plaza
from replay.records import PLACEHOLDER, Request
from replay.values import asked


@dataclass(slots=True)
class Needs:
    """`kinds`: the placeholders by kind, in the order in which they are met, without those that an answer has told before.
    `passwords`: by the placeholder of an address or of a session that of the password which was right for it at first.
    `registered`: addresses that were given an account in the record. `proven`: cookies and tokens that were a
    member's, by what they led to; a stranger can send any number of others. `cookies`: the name of each."""

    kinds: dict[str, dict[str, None]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)
    cookies: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[str]:
        return list(self.kinds.get(kind, ()))

    def __len__(self) -> int:
        return sum(map(len, self.kinds.values()))


def needs_of(requests: Iterable[Request], site: Plaza) -> Needs:
    found, made = Needs(), set[str]()
    for request in requests:
        here = asked(request)
        for placeholder in sorted(here - made):
            if told := PLACEHOLDER.fullmatch(placeholder):
                found.kinds.setdefault(told[1], {})[placeholder] = None
        answer = request.answer
        proves = site.proves(request.method, request.target, answer.status, answer.location)
        _cookies(request, proves, found)
        _proofs(request, site.route(request.method, request.target), here, found)
        made.update(one.placeholder for one in request.answer.made)
    return found


def _cookies(request: Request, proves: bool, found: Needs) -> None:
    for name, value in request.headers:
        if name == "cookie":
            found.cookies.update({placeholder: cookie for cookie, placeholder in cookies(value)})
        if (name == "cookie" and proves) or (name == "authorization" and request.answer.status < 400):
            found.proven.update(one[0] for one in PLACEHOLDER.finditer(value))


def _proofs(request: Request, route: str, here: frozenset[str], found: Needs) -> None:
    if request.answer.status >= 400:
        return
    body = [(one[1], one[0]) for one in PLACEHOLDER.finditer(request.body.decode(errors="replace"))]
    emails, passwords = (
        [placeholder for kind, placeholder in body if kind == wanted] for wanted in ("email", "password")
    )
    if route in REGISTERS:
        found.registered.update(emails)
    elif route in SIGNS_IN and emails and passwords and emails[0] not in found.registered:
        found.passwords.setdefault(emails[0], passwords[0])
    elif route in CHANGES_PASSWORD and passwords:
        for session in (one for one in here if one.startswith("{{cookie:")):
            found.passwords.setdefault(session, passwords[0])
