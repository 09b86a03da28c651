"""Tells members by mail that somebody answered their comment; in the transaction by which the answer comes to be shown."""

from models.base import Write
from models.mails import Mails


async def tell(
    w: Write, mails: Mails, comment_id: int, *, author_id: int, root_id: int, answered_id: int | None = None
) -> None:
    """Queue the notices to who began the thread and to whom it answers, if they want any; once for each comment."""
    if not mails.enabled:
        return
    rows = await w.fetch(
        "SELECT DISTINCT u.id, u.email, u.language, p.title, author.name FROM comments c "
        "JOIN users u ON u.id = c.author_id JOIN posts p ON p.id = c.post_id JOIN users author ON author.id = %s "
        "WHERE c.id IN %s AND c.status = 'shown' AND u.id <> %s AND u.notify_replies = 1 AND u.active = 1 "
        "AND u.confirmed_at IS NOT NULL",
        author_id, (root_id, answered_id or root_id), author_id,
    )  # fmt: skip
    for user_id, email, language, title, author in rows:
        about = f"reply {comment_id} {user_id}"
        await mails.queue(w, "reply", email, language, about=about, comment_id=comment_id, author=author, post=title)
