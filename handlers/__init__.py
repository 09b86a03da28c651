"""All routes, those of the manage pages and of `/api/v1` from their own files, and the application that they make."""

from typing import Any

from tornado.routing import URLSpec

from handlers import (
    account,
    account_routes,
    api,
    boards,
    comments,
    crawlers,
    feeds,
    file_routes,
    health,
    manage_routes,
    metrics,
    pages,
    poll_routes,
    posts,
    replay_target,
    search,
    v1_routes,
)
from handlers.app import App
from handlers.base import ID
from handlers.remembered import Remembering
from handlers.static import StaticFile

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
        (rf"/comments/{ID}/reply", comments.ReplyToComment, "comment_reply"),
        (rf"/comments/{ID}/edit", comments.EditComment, "comment_edit"),
        (rf"/comments/{ID}/delete", comments.DeleteComment, "comment_delete"),
        (r"/tag/([^/]+)", pages.TagPage, "tag"),
        (r"/tag/([^/]+)/page/([^/]+)", pages.TagPage, "tag_page"),
        (r"/archive", pages.ArchivePage, "archive"),
        (r"/archive/([0-9]{4}-[0-9]{2})", pages.MonthPage, "archive_month"),
        (rf"/user/{ID}", pages.UserPage, "user"),
        (rf"/user/{ID}/page/([^/]+)", pages.UserPage, "user_page"),
        (r"/about", pages.AboutPage, "about"),
        (r"/boards", boards.BoardsPage, "boards"),
        (rf"/boards/{boards.SLUG}", boards.BoardPage, "board"),
        (r"/play", boards.PlayPage, "play"),
        *poll_routes.ROUTES,
        *file_routes.ROUTES,
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
        *account_routes.ROUTES,
        (r"/language/(en|zh)", account.ChooseLanguage, "language"),
        *manage_routes.ROUTES,
        (r"/api/blogs", api.Blogs, "api_blogs"),
        (rf"/api/blogs/{ID}", api.Blog, "api_blog"),
        (rf"/api/blogs/{ID}/delete", api.DeleteBlog, "api_blog_delete"),
        (rf"/api/blogs/{ID}/comments", api.BlogComments, "api_blog_comments"),
        (r"/api/comments", api.LatestComments, "api_comments"),
        (rf"/api/comments/{ID}/delete", api.DeleteComment, "api_comment_delete"),
        (r"/api/users", api.ApiUsers, "api_users"),
        (r"/api/authenticate", api.Authenticate, "api_authenticate"),
        *v1_routes.ROUTES,
        (r"/api/.*", api.NoSuchCall, "api_unknown"),
        (r"/healthz", health.Health, "healthz"),
        (r"/metrics", metrics.Metrics, "metrics"),
        (r"/readyz", health.Ready, "readyz"),
        (r"/\.well-known/replay-target", replay_target.ReplayTarget, "replay_target"),
    ]


def application(app: App) -> Remembering:
    """The routes over `app`; static files are Nginx's, and this process's own where there is no Nginx."""
    specs = [URLSpec(pattern, handler, {"app": app, "route": name}, name=name) for pattern, handler, name in routes()]
    made = Remembering(
        app,
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
    )
    app.views.name_routes(made.reverse_url)
    return made
