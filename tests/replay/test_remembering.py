"""What is remembered of redaction is what redaction would make now, whatever has become known since."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay import remembering
from replay.leaks import may_hold_random
from replay.records import PLACEHOLDER
from replay.redaction import Redactor
from replay.remembering import Remembering, Secrets
from tests.replay.hush import SESSION, TOKEN, redactor

SHORT = "aB3defghijklmnopqrstuv"  # too short to be taken for a secret before it is known as one
OTHER = "zY9-wvutsrqponmlkjihgf"
QUOTED = "%61%423defghijklmnopqrstuv"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("user-agent", "a program {}"), ("accept", "{}"), ("referer", "http://x.org/{}?a=b"), ("origin", "http://{}"),
        (":path", "/a/{}"), (":path", "/a?b={}"), (":path", "/a?next=%2Fb%3Fc%3D{}"), (":path", "/a#{}"),
    ],
)  # fmt: skip
def test_a_memory_never_hides_a_secret_that_became_known_later(name: str, text: str) -> None:
    for secret in (SHORT, QUOTED) if name == ":path" else (SHORT,):
        one, header = redactor(), text.format(secret)
        before = {one.header(name, header) for _ in range(3)}
        known = one.secret("password", SHORT)

        assert before == {header}
        assert known in one.header(name, header)
        assert secret not in one.header(name, header)


def redactor_that_knows(*secrets: str) -> Redactor:
    one = redactor()
    for secret in secrets:
        one.secret("password", secret)
    return one


_SECRETS = st.sampled_from(
    [SHORT, OTHER, QUOTED, SESSION, TOKEN, "plz_a b", "a-slug-of-a-post-without-a-secret", "bob@x.org"]
)
_TEXTS = st.lists(
    st.sampled_from(["/", "?", "=", "&", "a", "%2F", "http://", "#", "; ", "token", '"', "%25", "+"]) | _SECRETS
)
_HEADERS = st.tuples(
    st.sampled_from([":path", "referer", "cookie", "user-agent", "accept", "authorization"]), _TEXTS.map("".join)
)
_SAID = st.one_of(_HEADERS, st.tuples(st.sampled_from(["password", "cookie", "email"]), _SECRETS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_SAID, max_size=12), st.integers(1, 4))
def test_who_remembers_says_what_one_says_who_does_not(
    monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]], most_known: int
) -> None:
    """Also when secrets are forgotten."""
    monkeypatch.setattr(remembering, "_MOST_KNOWN", most_known)
    told = []
    for longest in (remembering.LONGEST, -1):
        with monkeypatch.context() as patch:
            patch.setattr(remembering, "LONGEST", longest)
            one = redactor()
            told.append([
                one.secret(name, text) if name in ("password", "email") else one.header(name, text)
                for name, text in said * 2
            ])  # fmt: skip

    assert told[0] == told[1]


@given(st.text("aB3-_%./ plz", max_size=60))
def test_what_may_hold_a_secret_is_said_to(text: str) -> None:
    one = redactor_that_knows()
    one.header(":path", text)

    assert may_hold_random(text) or one._known.changes == 0


def test_nothing_long_is_remembered_and_of_the_rest_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 10)
    asked: list[str] = []

    def redact(what: str, text: str) -> str:
        asked.append(text)
        return PLACEHOLDER.sub(what, text)

    memory, long = Remembering(redact, Secrets()), "x" * (remembering.LONGEST + 1)
    for text in [long, long, "a", "a", *map(str, range(10)), "a"]:
        memory("", text)

    assert asked == [long, long, "a", *map(str, range(10)), "a"]
