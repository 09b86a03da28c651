"""`plaza check` names each place where polls, choices, ballots and selections do not agree."""

import pytest

from models import Models
from models.check import check
from tests.harness.people import People
from tests.models.poll_making import colours, ids


@pytest.mark.parametrize(
    ("harm", "mended", "told"),
    [
        ("UPDATE choices SET votes = votes + 1 WHERE id = {c}", "UPDATE choices SET votes = votes - 1 WHERE id = {c}",
         {"choices whose votes are not the selections of them: {c}"}),
        ("UPDATE polls SET voters = 7 WHERE id = {p}", "UPDATE polls SET voters = 1 WHERE id = {p}",
         {"polls whose voters are not the ballots in them: {p}"}),
        ("DELETE FROM ballots WHERE poll_id = {p}", "INSERT INTO ballots VALUES ({p}, 'u{u}', UTC_TIMESTAMP(6))",
         {"polls whose voters are not the ballots in them: {p}", "selections without a ballot: {p} of u{u}"}),
        ("DELETE FROM selections WHERE poll_id = {p}", "INSERT INTO selections VALUES ({p}, 'u{u}', {c})",
         {"choices whose votes are not the selections of them: {c}", "ballots that choose nothing: {p} of u{u}"}),
        ("INSERT INTO selections VALUES ({p}, 'u{u}', 99999)", "DELETE FROM selections WHERE choice_id = 99999",
         {"selections of no choice of their poll: {p} of u{u}", "ballots that choose several where one is allowed: {p} of u{u}"}),
        ("UPDATE choices SET poll_id = 99999 WHERE poll_id = {p}", "UPDATE choices SET poll_id = {p} WHERE poll_id = 99999",
         {"choices without a poll: {c}, {d}, {e}", "polls with fewer than two choices: {p}",
          "selections of no choice of their poll: {p} of u{u}"}),
        ("UPDATE polls SET id = 99999 WHERE id = {p}", "UPDATE polls SET id = {p} WHERE id = 99999",
         {"ballots without a poll: {p}", "choices without a poll: {c}, {d}, {e}", "polls with fewer than two choices: 99999",
          "polls whose voters are not the ballots in them: 99999"}),
        ("UPDATE polls SET author_id = 99999 WHERE id = {p}", "UPDATE polls SET author_id = 1 WHERE id = {p}",
         {"polls without an author: {p}"}),
    ],
)  # fmt: skip
async def test_a_check_names_what_does_not_agree(
    models: Models, people: People, harm: str, mended: str, told: set[str]
) -> None:
    poll = await colours(models, people)
    await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    c, d, e = ids(poll, 0, 1, 2)
    names = {"p": poll.id, "u": people.bob.id, "c": c, "d": d, "e": e}
    async with models.db.connection() as connection:
        await connection.execute(harm.format(**names))
        said = await check(models.db)
        await connection.execute(mended.format(**names))

    assert set(said) == {sentence.format(**names) for sentence in told}
