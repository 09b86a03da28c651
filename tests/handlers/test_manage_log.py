"""The log's page: filters, parts, CSV, and words for every action."""

import csv
import io
import re

from models import Models, audit
from settings import ROOT
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People


async def test_the_log_is_filtered_and_links_to_the_same_as_csv(
    town: Town, models: Models, people: People, ada: Browser, olga: Browser
) -> None:
    await olga.post("/manage/users", {"one": f"deactivate.{people.bob.id}"})
    await olga.post("/manage/comments", {"one": f"hold.{town.talk.id}", "reason": "=1+1"})

    page = (await ada.get("/manage/audit?actor=olga@example.org&action=user.deactivate")).text
    answer = await ada.get(f"/manage/audit.csv?actor={people.olga.id}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert f"user {people.bob.id}" in page
    assert "comment " + str(town.talk.id) not in page
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [row["action"] for row in rows] == ["comment.hold", "user.deactivate"]
    assert (rows[1]["actor"], rows[1]["ip"], rows[1]["was"]) == ("Olga", "127.0.0.1", '{"active": true}')
    assert "=1+1" in rows[0]["became"]
    assert (await ada.get("/manage/audit.csv?from=1999-01-01&to=1999-01-02")).text.count("\n") == 1


async def test_a_long_log_is_sent_in_parts(models: Models, people: People, ada: Browser) -> None:
    async with models.db.transaction() as connection:
        for number in range(1203):
            await connection.execute(
                "INSERT INTO audit_log (at, action, target, was, became) VALUES (NOW(6), 'x.y', %s, '{}', '{}')",
                f"-x {number}",
            )
        await connection.commit()

    rows = list(csv.reader(io.StringIO((await ada.get("/manage/audit.csv?action=x.y")).text)))

    assert [row[6] for row in rows[1:]] == [f"'-x {number}" for number in reversed(range(1203))]


def test_every_action_in_the_log_has_words() -> None:
    # What the models note is said in the reader's language on the page: see manage/_people.html.
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "models").glob("*.py"))
    noted = set(re.findall(r'note\(\s*w, [^,]+, "([a-z]+\.[a-z_]+)"', code))
    named = (ROOT / "templates/manage/_people.html").read_text(encoding="utf-8")

    assert noted
    assert {action for action in noted if f'"{action}"' not in named} == set()


async def test_changes_are_noted_with_the_address_they_came_from(models: Models, people: People, olga: Browser) -> None:
    await olga.post("/manage/users", {"one": f"signout.{people.bob.id}"})

    (entry,) = await audit.entries(models.db, action="user.signout")

    assert (entry.actor_id, str(entry.ip)) == (people.olga.id, "127.0.0.1")
