"""The permission table: every route, every method, everybody, and the status that is right. A new route is not done until it is
here."""

from typing import NamedTuple

WHO = ("visitor", "bob", "alice", "olga", "ada")  # nobody, member, editor, operator, administrator


class Line(NamedTuple):
    """`path` of the route `name`, with {names} of the town filled in; one status for each of WHO."""

    name: str
    method: str
    path: str
    statuses: tuple[int, int, int, int, int]
    form: dict[str, str] = {}


def _all(status: int) -> tuple[int, int, int, int, int]:
    return (status,) * 5


def _members(visitor: int, status: int) -> tuple[int, int, int, int, int]:
    return (visitor, *(status,) * 4)


def _editors(visitor: int, status: int) -> tuple[int, int, int, int, int]:
    return (visitor, 403, *(status,) * 3)


def _operators(visitor: int, status: int) -> tuple[int, int, int, int, int]:
    return (visitor, 403, 403, status, status)


def _admins(visitor: int, status: int) -> tuple[int, int, int, int, int]:
    return (visitor, 403, 403, 403, status)


POST = {"title": "T", "summary": "", "body": "B", "tags": ""}

TABLE = (
    Line("front", "GET", "/", _all(200)),
    Line("front_page", "GET", "/page/2", _all(302)),
    Line("post", "GET", "/blog/{post}-a-post", _all(200)),
    Line("post", "GET", "/blog/{draft}-draft-words", _all(404)),
    Line("post", "GET", "/blog/{trashed}-trashed-words", _all(404)),
    Line("post_id", "GET", "/blog/{post}", _all(301)),
    Line("post_id", "GET", "/blog/{draft}", _all(404)),
    Line("comment_create", "POST", "/blog/{post}/comments", _members(401, 303), {"body": "Hello"}),
    Line("comment_create", "POST", "/blog/{draft}/comments", _all(404), {"body": "Hello"}),
    Line("comment", "GET", "/comments/{talk}", _all(302)),
    Line("comment_edit", "GET", "/comments/{talk}/edit", (302, 200, 403, 403, 403)),
    Line("comment_edit", "POST", "/comments/{talk}/edit", (401, 303, 403, 403, 403), {"body": "Changed"}),
    Line("comment_delete", "POST", "/comments/{talk}/delete", _members(401, 303)),
    Line("comment_delete", "POST", "/comments/{reply}/delete", (401, 403, 303, 303, 303)),
    Line("tag", "GET", "/tag/news", _all(200)),
    Line("tag", "GET", "/tag/drafts", _all(404)),
    Line("tag_page", "GET", "/tag/news/page/2", _all(302)),
    Line("feed", "GET", "/feed.atom", _all(200)),
    Line("tag_feed", "GET", "/tag/news/feed.rss", _all(200)),
    Line("tag_feed", "GET", "/tag/drafts/feed.json", _all(404)),
    Line("user_feed", "GET", "/user/{bob}/feed.json", _all(200)),
    Line("post_feed", "GET", "/blog/{post}/feed.atom", _all(200)),
    Line("post_feed", "GET", "/blog/{draft}/feed.atom", _all(404)),
    Line("post_feed", "GET", "/blog/{trashed}/feed.atom", _all(404)),
    Line("sitemap", "GET", "/sitemap.xml", _all(200)),
    Line("sitemap_site", "GET", "/sitemap-site.xml", _all(200)),
    Line("sitemap_part", "GET", "/sitemap-0.xml", _all(200)),
    Line("robots", "GET", "/robots.txt", _all(200)),
    Line("llms", "GET", "/llms.txt", _all(200)),
    Line("archive", "GET", "/archive", _all(200)),
    Line("archive_month", "GET", "/archive/{month}", _all(200)),
    Line("user", "GET", "/user/{bob}", _all(200)),
    Line("user_page", "GET", "/user/{bob}/page/2", _all(302)),
    Line("about", "GET", "/about", _all(200)),
    Line("boards", "GET", "/boards", _all(200)),
    Line("board", "GET", "/boards/{race}?window=week", _all(200)),
    Line("board", "GET", "/boards/{hidden}", _all(404)),
    Line("play", "GET", "/play", _all(404)),
    Line("search", "GET", "/search?q=words", _all(200)),
    Line("register", "GET", "/register", _members(200, 302)),
    Line("register", "POST", "/register", _all(422), {"name": "", "email": "no", "password": "short"}),
    Line("signin", "GET", "/signin", _members(200, 302)),
    Line("signin", "POST", "/signin", _all(401), {"email": "nobody@example.org", "password": "wrong password"}),
    Line("signout", "POST", "/signout", _all(303)),
    Line("account", "GET", "/account", _members(302, 200)),
    Line("account_name", "POST", "/account/name", _members(401, 303), {"name": "New Name"}),
    Line("account_name", "GET", "/account/name", _members(302, 302)),
    Line("account_password", "POST", "/account/password", _members(401, 422), {"current": "x", "new": "short"}),
    Line("account_password", "GET", "/account/password", _members(302, 302)),
    Line("account_address", "POST", "/account/address", _members(401, 422), {"email": "no", "password": "x"}),
    Line("account_address", "GET", "/account/address", _members(302, 302)),
    Line("account_confirm", "POST", "/account/address/confirm", _members(401, 303)),
    Line("account_confirm", "GET", "/account/address/confirm", _members(302, 302)),
    Line("account_notices", "POST", "/account/notices", _members(401, 303), {"replies": "0"}),
    Line("account_notices", "GET", "/account/notices", _members(302, 302)),
    Line("sessions_revoke_all", "POST", "/account/sessions/revoke", _members(401, 303)),
    Line("sessions_revoke_all", "GET", "/account/sessions/revoke", _members(302, 302)),
    Line("session_revoke", "POST", "/account/sessions/999999/revoke", _members(401, 404)),
    Line("session_revoke", "GET", "/account/sessions/999999/revoke", _members(302, 302)),
    Line("tokens", "GET", "/account/tokens", _members(302, 302)),
    Line("tokens", "POST", "/account/tokens", _members(401, 200), {"token_name": "A game", "token_scopes": "scores"}),
    Line("tokens", "POST", "/account/tokens", _members(401, 422), {"token_name": ""}),
    Line("token_revoke", "GET", "/account/tokens/999999/revoke", _members(302, 302)),
    Line("token_revoke", "POST", "/account/tokens/999999/revoke", _members(401, 404)),
    Line("forgot", "GET", "/forgot", _all(200)),
    Line("forgot", "POST", "/forgot", _all(200), {"email": "nobody@example.org"}),
    Line("reset", "GET", "/reset?token=no", _all(410)),
    Line("reset", "POST", "/reset", _all(410), {"token": "no", "password": "correct horse battery"}),
    Line("confirm", "GET", "/confirm?token=no", _all(410)),
    Line("confirm", "POST", "/confirm", _all(410), {"token": "no"}),
    Line("unsubscribe", "GET", "/unsubscribe/1-abc", _all(404)),
    Line("unsubscribe", "POST", "/unsubscribe/1-abc", _all(404)),
    Line("language", "GET", "/language/zh", _all(303)),
    Line("manage", "GET", "/manage/", _editors(302, 200)),
    Line("manage_bare", "GET", "/manage", _editors(302, 301)),
    Line("manage_blogs", "GET", "/manage/blogs", _editors(302, 200)),
    Line("manage_blogs", "POST", "/manage/blogs", _editors(401, 303), {"action": "trash"}),
    Line("manage_create", "GET", "/manage/blogs/create", _editors(302, 200)),
    Line("manage_create", "POST", "/manage/blogs/create", _editors(401, 303), POST),
    Line("manage_edit", "GET", "/manage/blogs/edit?id={post}", _editors(302, 200)),
    Line("manage_edit", "POST", "/manage/blogs/edit?id={post}", _editors(401, 303), {**POST, "version": "1"}),
    Line("manage_render", "POST", "/manage/blogs/render", _editors(401, 200), {"body": "*B*"}),
    Line("manage_autosave", "POST", "/manage/blogs/autosave", _editors(401, 200), {**POST, "id": "0", "version": "0"}),
    Line("manage_discard", "POST", "/manage/blogs/discard", _editors(401, 303), {"id": "0"}),
    Line("manage_revisions", "GET", "/manage/blogs/revisions?id={post}", _editors(302, 200)),
    Line("manage_revision", "GET", "/manage/blogs/revision?id=1", _editors(302, 200)),
    Line("manage_revision", "POST", "/manage/blogs/revision", _editors(401, 303), {"id": "1"}),
    Line("manage_preview", "GET", "/manage/blogs/preview?id={draft}", _editors(302, 200)),
    Line("manage_action", "POST", "/manage/blogs/{draft}/publish", _editors(401, 303)),
    Line("manage_action", "POST", "/manage/blogs/{post}/unpublish", _editors(401, 303)),
    Line("manage_action", "POST", "/manage/blogs/{post}/trash", _editors(401, 303)),
    Line("manage_action", "POST", "/manage/blogs/{trashed}/restore", _editors(401, 303)),
    Line("manage_comments", "GET", "/manage/comments", _editors(302, 200)),
    Line("manage_comments", "POST", "/manage/comments", _editors(401, 303), {"action": "hold"}),
    Line("manage_users", "GET", "/manage/users", _operators(302, 200)),
    Line("manage_users", "POST", "/manage/users", _operators(401, 303), {"action": "deactivate"}),
    Line("manage_user", "GET", "/manage/users/{bob}", _operators(302, 200)),
    Line("manage_user_link", "GET", "/manage/users/{bob}/link", _operators(302, 302)),
    Line("manage_user_link", "POST", "/manage/users/{bob}/link", _operators(401, 200)),
    Line("manage_user_roles", "GET", "/manage/users/{bob}/roles", _admins(302, 302)),
    Line("manage_user_roles", "POST", "/manage/users/{bob}/roles", _admins(401, 303), {"roles": "1"}),
    Line("manage_roles", "GET", "/manage/roles", _admins(302, 200)),
    Line("manage_roles", "POST", "/manage/roles", _admins(401, 422), {"name": ""}),
    Line("manage_role", "GET", "/manage/roles/2", _admins(302, 200)),
    Line("manage_role", "POST", "/manage/roles/2", _admins(401, 422), {"name": "another"}),
    Line("manage_role_delete", "GET", "/manage/roles/2/delete", _admins(302, 302)),
    Line("manage_role_delete", "POST", "/manage/roles/2/delete", _admins(401, 422)),
    Line("manage_site", "GET", "/manage/site", _admins(302, 200)),
    Line("manage_site", "POST", "/manage/site", _admins(401, 303), {"title": "Plaza"}),
    Line("manage_mails", "GET", "/manage/mails", _operators(302, 200)),
    Line("manage_mails", "POST", "/manage/mails", _operators(401, 303), {"action": "again"}),
    Line("manage_boards", "GET", "/manage/boards", _operators(302, 200)),
    Line("manage_boards", "POST", "/manage/boards", _operators(401, 303), {"action": "hide"}),
    Line("manage_board_create", "GET", "/manage/boards/create", _operators(302, 200)),
    Line("manage_board_create", "POST", "/manage/boards/create", _operators(401, 422), {"title": ""}),
    Line("manage_board", "GET", "/manage/boards/{board}", _operators(302, 200)),
    Line("manage_board", "POST", "/manage/boards/{board}", _operators(401, 422), {"title": ""}),
    Line("manage_scores", "GET", "/manage/boards/{board}/scores", _operators(302, 200)),
    Line("manage_scores", "POST", "/manage/boards/{board}/scores", _operators(401, 303), {"action": "remove"}),
    Line("manage_cache", "GET", "/manage/cache", _admins(302, 200)),
    Line("manage_cache", "GET", "/manage/cache?key=post+{post}", _admins(302, 200)),
    Line("manage_cache_drop", "GET", "/manage/cache/drop", _admins(302, 302)),
    Line("manage_cache_drop", "POST", "/manage/cache/drop", _admins(401, 303), {"key": "post 1"}),
    Line("manage_cache_drop", "POST", "/manage/cache/drop", _admins(401, 303), {"family": "post"}),
    Line("manage_audit", "GET", "/manage/audit", _operators(302, 200)),
    Line("manage_audit_csv", "GET", "/manage/audit.csv", _operators(302, 200)),
    Line("api_blogs", "GET", "/api/blogs", _all(200)),
    Line("api_blogs", "POST", "/api/blogs", _editors(401, 201), {"name": "N", "summary": "", "content": "C"}),
    Line("api_blog", "GET", "/api/blogs/{post}", _all(200)),
    Line("api_blog", "GET", "/api/blogs/{draft}", _all(404)),
    Line("api_blog", "POST", "/api/blogs/{post}", _editors(401, 200), {"name": "N", "summary": "", "content": "C"}),
    Line("api_blog_delete", "POST", "/api/blogs/{post}/delete", _editors(401, 200)),
    Line("api_blog_comments", "POST", "/api/blogs/{post}/comments", _members(401, 201), {"content": "Hello"}),
    Line("api_comments", "GET", "/api/comments", _all(200)),
    Line("api_comment_delete", "POST", "/api/comments/{reply}/delete", (401, 403, 200, 200, 200)),
    Line("api_users", "GET", "/api/users", (401, 403, 403, 200, 200)),
    Line("api_users", "POST", "/api/users", _all(422), {"email": "no", "name": "", "passwd": "short"}),
    Line("api_authenticate", "POST", "/api/authenticate", _all(401), {"email": "no@example.org", "passwd": "wrong"}),
    Line("v1_boards", "GET", "/api/v1/boards", _all(200)),
    Line("v1_boards", "POST", "/api/v1/boards", _operators(401, 422), {"slug": "", "title": ""}),
    Line("v1_board", "GET", "/api/v1/boards/{race}", _all(200)),
    Line("v1_board", "GET", "/api/v1/boards/{hidden}", _all(404)),
    Line("v1_board", "PATCH", "/api/v1/boards/{race}", _operators(401, 428)),
    Line("v1_player", "GET", "/api/v1/boards/{race}/players/{bob}", _all(200)),
    Line("v1_player", "GET", "/api/v1/boards/{hidden}/players/{bob}", _all(404)),
    Line("v1_scores", "POST", "/api/v1/boards/{race}/scores", _members(401, 201), {"score": "50", "id": "mine"}),
    Line("v1_scores", "POST", "/api/v1/boards/{hidden}/scores", _members(401, 404), {"score": "50", "id": "mine"}),
    Line("me", "GET", "/api/v1/me?on=/", _all(200)),
    Line("v1", "GET", "/api/v1/", _all(200)),
    Line("v1_openapi", "GET", "/api/v1/openapi.json", _all(200)),
    Line("v1_tokens", "GET", "/api/v1/me/tokens", _members(401, 200)),
    Line("v1_tokens", "POST", "/api/v1/me/tokens", _members(401, 201), {"name": "A game", "scopes": "scores"}),
    Line("v1_token", "GET", "/api/v1/me/tokens/999999", _members(401, 404)),
    Line("v1_token", "DELETE", "/api/v1/me/tokens/999999", _members(401, 404)),
    Line("v1_sessions", "GET", "/api/v1/me/sessions", _members(401, 200)),
    Line("v1_session", "GET", "/api/v1/me/sessions/999999", _members(401, 404)),
    Line("v1_session", "DELETE", "/api/v1/me/sessions/999999", _members(401, 404)),
    Line("v1_unknown", "GET", "/api/v1/nothing", _all(404)),
    Line("v1_unknown", "POST", "/api/v1/nothing", _all(404)),
    Line("v1_unknown", "PUT", "/api/v1/nothing", _all(404)),
    Line("v1_unknown", "PATCH", "/api/v1/nothing", _all(404)),
    Line("v1_unknown", "DELETE", "/api/v1/nothing", _all(404)),
    Line("api_unknown", "GET", "/api/nothing", _all(404)),
    Line("api_unknown", "POST", "/api/nothing", _all(404)),
    Line("api_unknown", "PUT", "/api/nothing", _all(404)),
    Line("api_unknown", "PATCH", "/api/nothing", _all(404)),
    Line("api_unknown", "DELETE", "/api/nothing", _all(404)),
    Line("healthz", "GET", "/healthz", _all(200)),
    Line("metrics", "GET", "/metrics", _all(200)),
    Line("readyz", "GET", "/readyz", _all(200)),
)
