"""`plaza check`: counts again what is kept counted, and names each place where the two differ."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.database import Connection, Database

# Each kind of list: how its tallies are named, and what they must be. Full reads, so never on a request.
_RECOUNTS = {
    "posts": "SELECT 'posts', DATE(published_at), COUNT(*) FROM posts WHERE status = 'published' GROUP BY 1, 2",
    "author:%": """
        SELECT CONCAT('author:', author_id), DATE(published_at), COUNT(*) FROM posts WHERE status = 'published' GROUP BY 1, 2""",
    "tag:%": """
        SELECT CONCAT('tag:', t.name), DATE(p.published_at), COUNT(*) FROM posts p
        JOIN posts_tags pt ON pt.post_id = p.id JOIN tags t ON t.id = pt.tag_id
        WHERE p.status = 'published' GROUP BY 1, 2""",
    "comments": "SELECT 'comments', DATE(created_at), COUNT(*) FROM comments WHERE status = 'shown' GROUP BY 1, 2",
    "comments:%": """
        SELECT CONCAT('comments:', post_id), DATE(created_at), COUNT(*) FROM comments WHERE status = 'shown' GROUP BY 1, 2""",
    "users": "SELECT 'users', DATE(created_at), COUNT(*) FROM users GROUP BY 1, 2",
}

# Rows that point at nothing, or repeat a value wrongly: a sentence, and the SQL that finds their ids.
_ORPHANS = {
    "posts without an author": "SELECT p.id FROM posts p LEFT JOIN users u ON u.id = p.author_id WHERE u.id IS NULL",
    "comments without a post": "SELECT c.id FROM comments c LEFT JOIN posts p ON p.id = c.post_id WHERE p.id IS NULL",
    "comments without an author": "SELECT c.id FROM comments c LEFT JOIN users u ON u.id = c.author_id WHERE u.id IS NULL",
    "replies whose thread is gone or on another post": """
        SELECT c.id FROM comments c LEFT JOIN comments r ON r.id = c.parent_id AND r.post_id = c.post_id AND r.parent_id IS NULL
        WHERE c.parent_id IS NOT NULL AND r.id IS NULL""",
    "sessions without a user": "SELECT s.id FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE u.id IS NULL",
    "best scores without a board": """
        SELECT DISTINCT b.board_id FROM best_scores b LEFT JOIN boards o ON o.id = b.board_id WHERE o.id IS NULL""",
    "published posts without a date": "SELECT id FROM posts WHERE status = 'published' AND published_at IS NULL",
    "tags of posts whose dates or status differ from the post's": """
        SELECT p.id FROM posts p JOIN posts_tags pt ON pt.post_id = p.id
        WHERE NOT (pt.published_at <=> IF(p.status = 'published', p.published_at, NULL))
        OR pt.status <> p.status OR pt.updated_at <> p.updated_at""",
    "polls without an author": "SELECT p.id FROM polls p LEFT JOIN users u ON u.id = p.author_id WHERE u.id IS NULL",
    "polls with fewer than two choices": """
        SELECT p.id FROM polls p LEFT JOIN choices c ON c.poll_id = p.id GROUP BY p.id HAVING COUNT(c.id) < 2""",
    "choices without a poll": "SELECT c.id FROM choices c LEFT JOIN polls p ON p.id = c.poll_id WHERE p.id IS NULL",
    "ballots without a poll": """
        SELECT DISTINCT b.poll_id FROM ballots b LEFT JOIN polls p ON p.id = b.poll_id WHERE p.id IS NULL""",
    "ballots that choose nothing": """
        SELECT CONCAT(b.poll_id, ' of ', b.voter) FROM ballots b
        LEFT JOIN selections s ON s.poll_id = b.poll_id AND s.voter = b.voter WHERE s.poll_id IS NULL""",
    "selections without a ballot": """
        SELECT CONCAT(s.poll_id, ' of ', s.voter) FROM selections s
        LEFT JOIN ballots b ON b.poll_id = s.poll_id AND b.voter = s.voter WHERE b.poll_id IS NULL""",
    "selections of no choice of their poll": """
        SELECT CONCAT(s.poll_id, ' of ', s.voter) FROM selections s
        LEFT JOIN choices c ON c.id = s.choice_id AND c.poll_id = s.poll_id WHERE c.id IS NULL""",
    "ballots that choose several where one is allowed": """
        SELECT CONCAT(s.poll_id, ' of ', s.voter) FROM selections s JOIN polls p ON p.id = s.poll_id
        WHERE p.kind = 'single' GROUP BY s.poll_id, s.voter HAVING COUNT(*) > 1""",
    "choices whose votes are not the selections of them": """
        SELECT c.id FROM choices c LEFT JOIN (SELECT choice_id, COUNT(*) n FROM selections GROUP BY choice_id) s
        ON s.choice_id = c.id WHERE c.votes <> COALESCE(s.n, 0)""",
    "polls whose voters are not the ballots in them": """
        SELECT p.id FROM polls p LEFT JOIN (SELECT poll_id, COUNT(*) n FROM ballots GROUP BY poll_id) b
        ON b.poll_id = p.id WHERE p.voters <> COALESCE(b.n, 0)""",
}


async def check(db: Database) -> list[str]:
    """One sentence for each disagreement; empty when all agrees. Reads one snapshot, so it may run while the site serves."""
    found: list[str] = []
    async with snapshot(db) as connection:
        for pattern, sql in _RECOUNTS.items():
            counted = {(str(name), day): n for name, day, n in await connection.fetch(sql)}
            rows = await connection.fetch("SELECT list, day, n FROM tallies WHERE list LIKE %s", pattern)
            kept = {(str(name), day): n for name, day, n in rows if n}
            for key in sorted(counted.keys() | kept.keys(), key=str):
                if counted.get(key, 0) != kept.get(key, 0):
                    name, day = key
                    found.append(f"tallies {name} {day}: says {kept.get(key, 0)}, there are {counted.get(key, 0)}")
        for sentence, sql in _ORPHANS.items():
            ids = [str(row[0]) for row in await connection.fetch(sql)]
            if ids:
                found.append(f"{sentence}: {', '.join(ids[:10])}{' and more' if len(ids) > 10 else ''}")
    return found


@asynccontextmanager
async def snapshot(db: Database) -> AsyncIterator[Connection]:
    """A connection that sees all of MySQL as it is now, for minutes if need be."""
    async with db.connection(seconds=600) as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        try:
            yield connection
        finally:
            await connection.rollback()
