"""All routes on one screen. An id has at most 18 digits, so that MySQL can hold it."""

from typing import Any

from tornado.routing import URLSpec
from tornado.web import Application

from handlers import (
    account,
    account_mail,
    api,
    comments,
    crawlers,
    feeds,
    health,
    manage_audit,
    manage_comments,
    manage_editor,
    manage_home,
    manage_mails,
    manage_posts,
    manage_revisions,
    manage_roles,
    manage_site,
    manage_typing,
    manage_users,
    me,
    pages,
    posts,
    proofs,
    search,
)
from handlers.app import App
from handlers.static import StaticFile
from handlers.tracing import recorder

ID = r"([0-9]{1,18})"
FEED = r"feed\.(atom|rss|json)"


def routes() -> list[tuple[str, type[Any], str]]:
    """(pattern, handler, name for reverse_url)."""
    return [
        (r"/", pages.FrontPage, "front"),
        (r"/page/([^/]+)", pages.FrontPage, "front_page"),
        (rf"/blog/{ID}-([^/]+)", posts.PostPage, "post"),
        (rf"/blog/{ID}", posts.PostById, "post_id"),
        (rf"/blog/{ID}/comments", comments.CreateComment, "comment_create"),
        (rf"/comments/{ID}", comments.CommentAddress, "comment"),
        (rf"/comments/{ID}/edit", comments.EditComment, "comment_edit"),
        (rf"/comments/{ID}/delete", comments.DeleteComment, "comment_delete"),
        (r"/tag/([^/]+)", pages.TagPage, "tag"),
        (r"/tag/([^/]+)/page/([^/]+)", pages.TagPage, "tag_page"),
        (r"/archive", pages.ArchivePage, "archive"),
        (r"/archive/([0-9]{4}-[0-9]{2})", pages.MonthPage, "archive_month"),
        (rf"/user/{ID}", pages.UserPage, "user"),
        (rf"/user/{ID}/page/([^/]+)", pages.UserPage, "user_page"),
        (r"/about", pages.AboutPage, "about"),
        (r"/search", search.SearchPage, "search"),
        (rf"/{FEED}", feeds.SiteFeed, "feed"),
        (rf"/tag/([^/]+)/{FEED}", feeds.TagFeed, "tag_feed"),
        (rf"/user/{ID}/{FEED}", feeds.UserFeed, "user_feed"),
        (rf"/blog/{ID}/{FEED}", feeds.PostFeed, "post_feed"),
        (r"/sitemap\.xml", crawlers.SitemapIndex, "sitemap"),
        (r"/sitemap-site\.xml", crawlers.SitemapOfSite, "sitemap_site"),
        (r"/sitemap-([0-9]{1,14})\.xml", crawlers.SitemapPart, "sitemap_part"),
        (r"/robots\.txt", crawlers.Robots, "robots"),
        (r"/llms\.txt", crawlers.Llms, "llms"),
        (r"/register", account.Register, "register"),
        (r"/signin", account.SignIn, "signin"),
        (r"/signout", account.SignOut, "signout"),
        (r"/account", account.Account, "account"),
        (r"/account/name", account.ChangeName, "account_name"),
        (r"/account/password", account.ChangePassword, "account_password"),
        (r"/account/address", account_mail.ChangeAddress, "account_address"),
        (r"/account/address/confirm", account_mail.AskToConfirm, "account_confirm"),
        (r"/account/notices", account_mail.ChooseNotices, "account_notices"),
        (r"/account/sessions/revoke", account.RevokeSessions, "sessions_revoke_all"),
        (rf"/account/sessions/{ID}/revoke", account.RevokeSession, "session_revoke"),
        (r"/forgot", proofs.Forgot, "forgot"),
        (r"/reset", proofs.Reset, "reset"),
        (r"/confirm", proofs.Confirm, "confirm"),
        (r"/unsubscribe/([0-9a-f-]{1,60})", proofs.Unsubscribe, "unsubscribe"),
        (r"/language/(en|zh)", account.ChooseLanguage, "language"),
        (r"/manage/", manage_home.Manage, "manage"),
        (r"/manage", manage_home.Manage, "manage_bare"),
        (r"/manage/blogs", manage_posts.ManageBlogs, "manage_blogs"),
        (r"/manage/blogs/create", manage_editor.CreatePost, "manage_create"),
        (r"/manage/blogs/edit", manage_editor.EditPost, "manage_edit"),
        (r"/manage/blogs/render", manage_typing.RenderText, "manage_render"),
        (r"/manage/blogs/autosave", manage_typing.KeepTyped, "manage_autosave"),
        (r"/manage/blogs/discard", manage_typing.ForgetTyped, "manage_discard"),
        (r"/manage/blogs/revisions", manage_revisions.RevisionsOfPost, "manage_revisions"),
        (r"/manage/blogs/revision", manage_revisions.OneRevision, "manage_revision"),
        (r"/manage/blogs/preview", manage_editor.PreviewPost, "manage_preview"),
        (rf"/manage/blogs/{ID}/(publish|unpublish|trash|restore)", manage_posts.ActOnPost, "manage_action"),
        (r"/manage/comments", manage_comments.ManageComments, "manage_comments"),
        (r"/manage/users", manage_users.ManageUsers, "manage_users"),
        (rf"/manage/users/{ID}", manage_users.ManageUser, "manage_user"),
        (rf"/manage/users/{ID}/roles", manage_users.SetRoles, "manage_user_roles"),
        (rf"/manage/users/{ID}/link", manage_users.HandOutLink, "manage_user_link"),
        (r"/manage/roles", manage_roles.ManageRoles, "manage_roles"),
        (rf"/manage/roles/{ID}", manage_roles.ManageRole, "manage_role"),
        (rf"/manage/roles/{ID}/delete", manage_roles.DeleteRole, "manage_role_delete"),
        (r"/manage/site", manage_site.ManageSite, "manage_site"),
        (r"/manage/mails", manage_mails.ManageMails, "manage_mails"),
        (r"/manage/audit", manage_audit.ManageAudit, "manage_audit"),
        (r"/manage/audit\.csv", manage_audit.AuditCsv, "manage_audit_csv"),
        (r"/api/blogs", api.Blogs, "api_blogs"),
        (rf"/api/blogs/{ID}", api.Blog, "api_blog"),
        (rf"/api/blogs/{ID}/delete", api.DeleteBlog, "api_blog_delete"),
        (rf"/api/blogs/{ID}/comments", api.BlogComments, "api_blog_comments"),
        (r"/api/comments", api.LatestComments, "api_comments"),
        (rf"/api/comments/{ID}/delete", api.DeleteComment, "api_comment_delete"),
        (r"/api/users", api.ApiUsers, "api_users"),
        (r"/api/authenticate", api.Authenticate, "api_authenticate"),
        (r"/api/v1/me", me.Me, "me"),
        (r"/api/.*", api.NoSuchCall, "api_unknown"),
        (r"/healthz", health.Health, "healthz"),
        (r"/readyz", health.Ready, "readyz"),
    ]


def application(app: App) -> Application:
    """The routes over `app`; static files are Nginx's, and this process's own where there is no Nginx."""
    specs = [URLSpec(pattern, handler, {"app": app, "route": name}, name=name) for pattern, handler, name in routes()]
    made = Application(
        [
            *specs,
            URLSpec(
                r"/static/([A-Za-z0-9._/-]+)",
                StaticFile,
                {"path": str(app.settings.var / "static")},
                name="static",
            ),
        ],
        default_handler_class=pages.NoSuchPage,
        default_handler_args={"app": app},
        log_function=recorder(app.settings, app.journal),
    )
    app.views.name_routes(made.reverse_url)
    return made
