"""Which fields hold secrets, told by their names: the last word of a name says what stands there.

So `newPassword`, `user[password]`, `csrf-token` and `PHPSESSID` are secret; `token_name`, `author` and `compass` are not.
"""

import re
from functools import lru_cache
from typing import Final

from replay.sites import Site

LONGEST: Final = 100  # characters of a name, of which the last ones count
_MOST: Final = 4096  # names that are remembered
_JOINT: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # in newPassword, and in APIKey
_WORD: Final = re.compile(r"[^\W_]+")
# What the lists of Sentry's, Rails' and other scrubbers have in common, and the names by which servers ask for a session.
_WORDS: Final = frozenset({
    "auth", "authentication", "authorization", "bearer", "cookie", "credential", "csrf", "cvc", "cvv", "jwt", "otp", "pass",
    "pin", "psw", "pswd", "pw", "session", "sid", "sig", "signature", "ssn", "totp", "xsrf",
})  # fmt: skip
# These say it at the end of a longer word too, for people who write small: csrftoken, mysqlpwd, jsessionid.
_ENDS: Final = re.compile(
    r"(?:passw(?:or)?d|passwort|passphrase|passcode|passkey|pwd|token|secret|credential|apikey|sess(?:ion)?id"
    r"|(?:private|secret|access|auth|session)key)s?$|^aspsessionid|(?:密码|口令|验证码)$"
)
# Two words that are harmless alone.
_PAIRS: Final = frozenset(
    f"{what} {word}" for word, kinds in {
        "key": "access api auth client encryption master private secret session shared signing ssh",
        "code": "access auth authorization backup email invitation invite login mfa otp recovery reset security sms verification",
        "id": "credential sess session", "number": "card", "response": "saml", "salt": "password",
    }.items() for what in kinds.split()
)  # fmt: skip
# What is said of a secret without being another thing: `password_confirmation`, `pwd_hash`.
_BESIDES: Final = frozenset({
    "again", "check", "confirm", "confirmation", "current", "hash", "hashed", "md", "new", "old", "plain", "repeat", "retype",
    "sha", "text", "value", "verification", "verify",
})  # fmt: skip
_COUNTED: Final = frozenset({"max", "maximum", "min", "n", "num", "total"})  # `max_tokens` is a number of them


def kind_of(field: str, site: Site) -> str:
    """Of the placeholder for what a field of this name holds; "" when that is no secret."""
    name = field.strip()
    if kind := site.secret_fields.get(name.lower()):
        return kind
    words, secret = _looked_at(name[-LONGEST:])
    return site.secret_fields.get(words) or ("secret" if secret else "")


@lru_cache(_MOST)
def _looked_at(name: str) -> tuple[str, bool]:
    """Its words, as names are spelt here, and whether they are a secret's."""
    told = [word.rstrip("0123456789") for word in _WORD.findall(_JOINT.sub("_", name).lower())]
    words = [word for word in told if word]
    return "_".join(words), _is_secret(words)


def _is_secret(words: list[str]) -> bool:
    while len(words) > 1 and words[-1] in _BESIDES:
        words = words[:-1]
    if not words or words[0] in _COUNTED:
        return False
    last, pair = words[-1], " ".join(words[-2:]).removesuffix("s")
    return last in _WORDS or _ENDS.search(last) is not None or pair in _PAIRS
