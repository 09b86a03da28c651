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
    "DELETE FROM posts",
    "REPLACE INTO site (name, value) VALUES ('title', 'Plaza')",
    "CREATE TABLE IF NOT EXISTS posts (id INT NULL); ALTER TABLE posts DROP COLUMN summary",
    "ALTER TABLE moods DROP COLUMN word; CREATE TABLE moods (word INT NULL)",
    "CREATE TABLE moods (post_id BIGINT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts (id))",
    "-- It's a change.\nDROP TABLE posts;\n-- It isn't one\n",
    "UPDATE posts SET version = 1--1; DROP TABLE posts",
    "-- widens: titles\nALTER TABLE posts CHANGE title heading VARCHAR(300) NOT NULL",
    "-- widens: titles\nALTER TABLE posts MODIFY title VARCHAR(300) NOT NULL UNIQUE",
]
# Whatever it does, nobody has thought about it yet.
UNKNOWN = [
    "ALTER TABLE plaza.posts DROP COLUMN summary",
    "ALTER TABLE posts WAIT 5 DROP COLUMN summary",
    "ALTER IGNORE TABLE posts ADD COLUMN mood INT NULL",
    "ALTER TABLE posts ADD SYSTEM VERSIONING",
    "ALTER TABLE posts ADD PARTITION (PARTITION p1 VALUES LESS THAN (7))",
    "ALTER TABLE `posts` ENGINE=MyISAM",
    "/*!50000 DROP TABLE posts */",
    "/*M!100100 DROP TABLE posts */",
    "ALTER TABLE posts ADD COLUMN mood INT NULL /*!50000 INVISIBLE */",
    "CREATE OR REPLACE TABLE posts (id INT NOT NULL)",
    "CREATE TRIGGER never BEFORE INSERT ON posts FOR EACH ROW SIGNAL SQLSTATE '45000'",
    "CREATE VIEW posts AS SELECT 1",
    "LOCK TABLES posts WRITE",
    "SET GLOBAL read_only = 1",
    "CALL empty_all()",
]
ADDS = [
    "CREATE TABLE moods (id INT NOT NULL PRIMARY KEY, word VARCHAR(20) NOT NULL, UNIQUE KEY once (word))",
    "CREATE TABLE moods (id INT NOT NULL); ALTER TABLE moods ADD UNIQUE KEY once (id); CREATE UNIQUE INDEX x ON moods (id)",
    "ALTER TABLE posts ADD COLUMN mood VARCHAR(20) NOT NULL DEFAULT 'DROP TABLE posts; -- really'",
    "ALTER TABLE posts ADD COLUMN mood INT NULL, ADD KEY of_mood (mood, id)",
    "ALTER TABLE posts ADD COLUMN words INT GENERATED ALWAYS AS (CHAR_LENGTH(title)) STORED NOT NULL",
    "CREATE INDEX of_mood ON posts (mood)",
    "CREATE TABLE IF NOT EXISTS moods (id INT NOT NULL)",
    "CREATE TABLE moods (id INT NOT NULL PRIMARY KEY); CREATE TABLE days (mood INT NOT NULL REFERENCES moods (id))",
    "ALTER TABLE posts ADD COLUMN IF NOT EXISTS mood INT NULL AFTER title, ALGORITHM=INPLACE, LOCK=NONE",
    "ALTER TABLE posts ADD COLUMN (mood INT NULL, weight DECIMAL(6, 2) NOT NULL DEFAULT 0), ADD FULLTEXT KEY words (title)",
    "INSERT IGNORE INTO site (name, value) SELECT 'mood', 'it''s; DELETE FROM posts' FROM DUAL",
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


@pytest.mark.parametrize("sql", UNKNOWN)
def test_what_is_not_known_to_only_add_is_refused_with_what_is(sql: str) -> None:
    (said,) = refusals(f"-- depends: 0001-the-blog\n{sql};\n")

    assert said.startswith("is of no form of which it is known that it only adds (CREATE TABLE name (...), ")


@pytest.mark.parametrize("sql", ADDS)
def test_what_only_adds_is_let_through(sql: str) -> None:
    assert refusals(f"-- A change.\n-- depends: 0001-the-blog\n\n{sql};\n") == []
