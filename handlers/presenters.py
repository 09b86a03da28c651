"""How rows look in the API of the tutorial kind, and a post in the vocabulary of schema.org."""

from typing import Any

from handlers.syndication import rfc3339
from models.base import Page
from models.comments import Comment
from models.posts import Post
from models.site import Site
from models.users import User


def blog(post: Post, md: str, author: User | None) -> dict[str, Any]:
    """`name` is the title, `content` the Markdown, `created_at` seconds since the epoch: of its publication, if it has one."""
    return {
        "id": post.id, "user_id": post.author_id, "user_name": post.byline or (author.name if author else ""),
        "user_image": author.image if author else "", "name": post.title, "summary": post.summary,
        "content": md, "created_at": (post.published_at or post.created_at).timestamp(),
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


def posting(
    post: Post, author: User | None, author_url: str, site: Site, path: str, *, image: str, comments: int
) -> dict[str, Any]:
    """https://schema.org/BlogPosting, as JSON-LD in the post's page; what is empty is left out. `image`: an address or ""."""
    facts = {
        "@context": "https://schema.org", "@type": "BlogPosting", "headline": post.title, "description": post.summary,
        "url": site.url + path, "mainEntityOfPage": site.url + path, "image": image,
        "datePublished": rfc3339(post.published_at) if post.published_at else "", "dateModified": rfc3339(post.updated_at),
        "author": {"@type": "Person", "name": post.byline or (author.name if author else ""), "url": author_url},
        "publisher": {"@type": "Organization", "name": site.title, "url": site.url + "/"},
        "keywords": ", ".join(post.tags), "commentCount": comments,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value != ""}
