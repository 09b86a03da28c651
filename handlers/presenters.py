"""How rows look in the API of the tutorial kind."""

from typing import Any

from models.base import Page
from models.bodies import Body
from models.comments import Comment
from models.posts import Post
from models.users import User


def blog(post: Post, body: Body | None, author: User | None) -> dict[str, Any]:
    """`name` is the title, `content` the Markdown, `created_at` seconds since the epoch: of its publication, if it has one."""
    return {
        "id": post.id, "user_id": post.author_id, "user_name": post.byline or (author.name if author else ""),
        "user_image": author.image if author else "", "name": post.title, "summary": post.summary,
        "content": body.md if body else "", "created_at": (post.published_at or post.created_at).timestamp(),
    }  # fmt: skip


def comment(row: Comment, author: User | None) -> dict[str, Any]:
    return {
        "id": row.id, "blog_id": row.post_id, "user_id": row.author_id, "user_name": author.name if author else "",
        "user_image": author.image if author else "", "content": row.md, "created_at": row.created_at.timestamp(),
    }  # fmt: skip


def user(row: User) -> dict[str, Any]:
    """Without the address: it is nobody's business but the member's."""
    return {"id": row.id, "name": row.name, "image": row.image, "created_at": row.created_at.timestamp()}


def page_facts(page: Page[Any]) -> dict[str, Any]:
    return {
        "has_next": page.has_next, "page_index": page.page_index, "page_count": page.page_count,
        "has_previous": page.has_previous, "item_count": page.item_count,
    }  # fmt: skip
