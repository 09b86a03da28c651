"""Migrations only add: the code of the release before runs on the tables of the next one."""

from pathlib import Path

import pytest

from commands.expanding import refusals
from commands.migrate import MIGRATIONS

TAKES_AWAY = [
    "DROP TABLE posts",
    "ALTER TABLE posts DROP COLUMN summary",
    "ALTER TABLE posts ADD COLUMN mood INT NULL, DROP KEY newest",
    "RENAME TABLE posts TO articles",
    "ALTER TABLE posts RENAME COLUMN title TO heading",
    "TRUNCATE TABLE outbox",
    "ALTER TABLE `posts` MODIFY title VARCHAR(20) NOT NULL",
    "ALTER TABLE posts CHANGE title heading VARCHAR(200) NOT NULL",
    "ALTER TABLE posts ADD COLUMN mood VARCHAR(20) NOT NULL",
    "ALTER TABLE posts ADD mood VARCHAR(20) NOT NULL COMMENT 'it has no DEFAULT'",
    "ALTER TABLE posts ADD COLUMN (mood INT NULL, weight INT NOT NULL)",
    "ALTER TABLE posts ADD COLUMN mood INT NOT NULL DEFAULT 0 UNIQUE",
    "ALTER TABLE posts ADD UNIQUE KEY once (author_id, title)",
    "ALTER TABLE posts ADD CONSTRAINT whole CHECK (views >= 0)",
    "alter table posts\n  add foreign key (author_id) references users (id)",
    "CREATE UNIQUE INDEX once ON posts (title)",
]
ADDS = [
    "CREATE TABLE moods (id INT NOT NULL PRIMARY KEY, word VARCHAR(20) NOT NULL, UNIQUE KEY once (word))",
    "CREATE TABLE moods (id INT NOT NULL); ALTER TABLE moods ADD UNIQUE KEY once (id); CREATE UNIQUE INDEX x ON moods (id)",
    "ALTER TABLE posts ADD COLUMN mood VARCHAR(20) NOT NULL DEFAULT 'DROP TABLE posts; -- really'",
    "ALTER TABLE posts ADD COLUMN mood INT NULL, ADD KEY of_mood (mood, id)",
    "ALTER TABLE posts ADD COLUMN words INT GENERATED ALWAYS AS (CHAR_LENGTH(title)) STORED NOT NULL",
    "CREATE INDEX of_mood ON posts (mood)",
    "UPDATE posts SET mood = 'calm' WHERE mood IS NULL",
    "-- DROP TABLE posts\nCREATE TABLE moods (id INT NOT NULL)",
    "-- widens: titles of 200 letters to 300\nALTER TABLE posts MODIFY title VARCHAR(300) NOT NULL",
    "-- contracts: 0.3.0, which no longer reads it\nALTER TABLE posts DROP COLUMN mood",
]


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("*.sql")), ids=lambda path: path.stem)
def test_a_migration_only_adds(path: Path) -> None:
    assert refusals(path.read_text()) == []


@pytest.mark.parametrize("sql", TAKES_AWAY)
def test_what_older_code_could_not_live_with_is_refused(sql: str) -> None:
    assert len(refusals(f"-- A change.\n-- depends: 0001-the-blog\n\n{sql};\n")) == 1


@pytest.mark.parametrize("sql", ADDS)
def test_what_only_adds_is_let_through(sql: str) -> None:
    assert refusals(f"-- A change.\n-- depends: 0001-the-blog\n\n{sql};\n") == []
