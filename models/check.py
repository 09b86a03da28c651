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
