"""Tokens: shown once, limited in number and time, and over at once when they are revoked, by whatever."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from jobs.expiry import end_expired
from models import Models, audit
from models.errors import Forbidden, Invalid, NotFound
from models.links import RESET
from models.sessions import Session, digest
from models.tokens import MOST, READ, SCOPES, WRITE, Token, TokenFacts
from models.users import User
from tests.harness.counting import Counted
from tests.harness.people import People


async def session_of(models: Models, user: User) -> Session:
    found = await models.sessions.by_token(
        await models.sessions.start(user.id, days=1, ip=None, user_agent="tests"),
    )
    assert found
    return found


async def made(models: Models, user: User, days: int | None = None) -> tuple[TokenFacts, str]:
    session = await session_of(models, user)
    return await models.tokens.create("A game", (READ,), days=days, by=user, session=session)


async def known(models: Models, secret: str) -> Token:
    token = await models.tokens.by_secret(secret)
    assert token
    return token


async def test_only_the_digest_is_stored_and_the_log_knows_no_token(models: Models, people: People) -> None:
    facts, secret = await made(models, people.bob)
    await models.tokens.revoke(facts.id, by=people.bob)
    other, another = await made(models, people.bob)
    rows = await models.db.fetch("SELECT * FROM tokens")

    assert rows[0][0] == digest(another)
    assert another not in repr(rows)
    assert len(secret.removeprefix("plz_")) >= 43  # 256 bits in base64
    lines = await audit.entries(models.db, actor_id=people.bob.id)
    assert [(line.action, line.target) for line in lines] == [
        ("token.create", f"token {other.id}"), ("token.revoke", f"token {facts.id}"), ("token.create", f"token {facts.id}"),
    ]  # fmt: skip
    assert secret not in repr(lines)
    assert lines[-1].became == {"name": "A game", "scopes": "read"}


async def test_what_cannot_be_a_token_is_asked_of_nobody(models: Models, people: People, counted: Counted) -> None:
    _, secret = await made(models, people.bob)
    counted.clear()
    for wrong in (
        "",
        "plz_",
        secret[4:],
        secret + "x",
        secret[:-1],
        secret[:-1] + "ä",
        secret.upper(),
        "plz_" + "!" * 43,
    ):
        assert await models.tokens.by_secret(wrong) is None, wrong

    assert (counted.statements, counted.commands) == ([], [])


async def test_a_token_is_read_through_the_cache(
    models: Models, other_models: Models, people: People, counted: Counted
) -> None:
    _, secret = await made(models, people.bob)
    token = await known(models, secret)
    counted.clear()

    assert await known(other_models, secret) == token
    assert (token.user_id, token.scopes, token.expires_at) == (people.bob.id, ("read",), None)
    assert counted.selects == []


async def test_a_revoked_token_is_over_at_once_in_every_process(
    models: Models, other_models: Models, people: People
) -> None:
    facts, secret = await made(models, people.bob)
    await known(other_models, secret)
    with pytest.raises(NotFound):
        await models.tokens.revoke(facts.id, by=people.alice)
    await known(other_models, secret)
    await models.tokens.revoke(facts.id, by=people.bob)

    assert await other_models.tokens.by_secret(secret) is None
    assert await models.tokens.of_user(people.bob.id) == []
    await models.tokens.revoke(facts.id, by=people.bob)  # twice is as once
    with pytest.raises(NotFound):
        await models.tokens.revoke(facts.id, by=people.alice)


async def test_a_token_that_was_asked_for_before_it_was_made_is_found(
    models: Models, other_models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That there is none had been remembered."""
    monkeypatch.setattr("models.tokens.secrets.token_urlsafe", lambda n: "x" * 43)
    session = await session_of(models, people.bob)
    assert await other_models.tokens.by_secret("plz_" + "x" * 43) is None
    _, secret = await models.tokens.create("n", (READ,), days=None, by=people.bob, session=session)

    assert await other_models.tokens.by_secret(secret) is not None


async def test_a_token_ends_with_its_time_even_when_it_is_remembered(models: Models, people: People) -> None:
    facts, secret = await made(models, people.bob, days=1)
    _, lasting = await made(models, people.bob)
    assert facts.expires_at
    assert abs(facts.expires_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    async with models.tokens.write() as w:
        soon = datetime.now(UTC) + timedelta(seconds=0.1)
        await w.execute("UPDATE tokens SET expires_at = %s WHERE id = %s", soon, facts.id)
        w.touch(models.tokens.key(digest(secret)))
    await known(models, secret)
    await asyncio.sleep(0.12)

    assert await models.tokens.by_secret(secret) is None
    assert facts.id not in [one.id for one in await models.tokens.of_user(people.bob.id)]
    await end_expired(models)
    assert await models.db.fetch("SELECT token_sha256 FROM tokens") == ((digest(lasting),),)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "wrong"),
    [
        ("", (READ,), None, {"name"}), (" \u200f\n ", (READ,), None, {"name"}), ("x" * 61, (READ,), None, {"name"}),
        ("x", (), None, {"scopes"}), ("x", ("admin",), None, {"scopes"}), ("x", (READ,), 0, {"days"}),
        ("x", (READ,), -1, {"days"}), ("x", (READ,), 3651, {"days"}), ("", (), 0, {"name", "scopes", "days"}),
    ],
)  # fmt: skip
async def test_what_a_token_cannot_be_is_told_all_at_once(
    models: Models, people: People, name: str, scopes: tuple[str, ...], days: int | None, wrong: set[str]
) -> None:
    session = await session_of(models, people.bob)
    with pytest.raises(Invalid) as refused:
        await models.tokens.create(name, scopes, days=days, by=people.bob, session=session)

    assert set(refused.value.fields) == wrong


async def test_a_name_is_kept_without_signs_that_turn_text(models: Models, people: People) -> None:
    session = await session_of(models, people.bob)
    facts, _ = await models.tokens.create(
        " my \u202e game\n", (WRITE, READ, READ), days=None, by=people.bob, session=session
    )

    assert (facts.name, facts.scopes) == ("my game", (READ, WRITE))
    assert await models.tokens.of_user(people.bob.id) == [facts]


async def test_a_member_has_at_most_fifty_even_when_two_are_made_at_one_moment(
    models: Models, other_models: Models, people: People
) -> None:
    session = await session_of(models, people.bob)
    for _ in range(MOST - 1):
        await models.tokens.create("n", (READ,), days=None, by=people.bob, session=session)
    both = (m.tokens.create("n", (READ,), days=None, by=people.bob, session=session) for m in (models, other_models))
    results = await asyncio.gather(*both, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Invalid", "tuple"]
    assert len(await models.tokens.of_user(people.bob.id)) == MOST
    assert await made(models, people.alice)


async def test_a_session_that_has_ended_and_a_member_without_rights_make_no_token(
    models: Models, people: People
) -> None:
    session = await session_of(models, people.bob)
    await models.sessions.end(session)
    with pytest.raises(Forbidden):
        await models.tokens.create("n", (READ,), days=None, by=people.bob, session=session)

    session = await session_of(models, people.bob)
    await models.users.set_active(people.bob.id, False)
    with pytest.raises(Forbidden):
        await models.tokens.create("n", (READ,), days=None, by=people.bob, session=session)


async def test_its_use_is_noted_once_an_hour_by_all_processes_together(
    models: Models, other_models: Models, people: People, counted: Counted
) -> None:
    facts, secret = await made(models, people.bob)
    token = await known(models, secret)
    counted.clear()
    for _ in range(3):
        await models.tokens.used(token)
    assert len(counted.statements) == 1
    (first,) = await models.tokens.of_user(people.bob.id)
    await other_models.tokens.used(token)
    (second,) = await models.tokens.of_user(people.bob.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE tokens SET last_used_at = %s", datetime.now(UTC) - timedelta(hours=2))
    other_models.tokens._noted.clear()
    await other_models.tokens.used(token)
    (third,) = await models.tokens.of_user(people.bob.id)

    assert facts.last_used_at is None
    assert first.last_used_at
    assert second == first
    assert third.last_used_at
    assert datetime.now(UTC) - third.last_used_at < timedelta(minutes=1)
    assert await known(models, secret) == token


@pytest.mark.parametrize("by", ["reset", "deactivate", "signout", "revoke_all"])
async def test_what_ends_all_sessions_of_an_account_ends_its_tokens(
    models: Models, other_models: Models, people: People, by: str
) -> None:
    secrets = [(await made(models, people.bob))[1] for _ in range(2)]
    _, of_alice = await made(models, people.alice)
    for secret in secrets:
        await known(other_models, secret)
    match by:
        case "reset":
            await models.addresses.reset(await models.links.make(RESET, people.bob.id, people.bob.email), "hash")
        case "deactivate" | "signout":
            await models.people.act(by, (people.bob.id,), by=people.olga)
        case _:
            assert (await models.addresses.new_password(people.bob.id, "x"))[1] == 2

    assert [await other_models.tokens.by_secret(secret) for secret in secrets] == [None, None]
    await known(other_models, of_alice)
    (line,) = await audit.entries(models.db, action="token.revoke_all")
    actor = people.bob if by in ("reset", "revoke_all") else people.olga
    assert (line.actor_id, line.target, line.was) == (actor.id, f"user {people.bob.id}", {"tokens": 2})


async def test_signing_out_everywhere_leaves_tokens(models: Models, people: People) -> None:
    _, secret = await made(models, people.bob)
    await models.sessions.revoke_all(people.bob.id)

    await known(models, secret)


def test_each_scope_says_what_it_may() -> None:
    assert list(SCOPES) == ["read", "write", "scores"]
    assert all(text.endswith(".") for text in SCOPES.values())
