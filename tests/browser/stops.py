"""Every page of the site in every state that looks different: for the tests of all pages, and for the pictures."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser import hostile
from tests.browser.acts import (
    answering,
    beaten,
    drawn,
    ended,
    follow,
    played,
    press,
    stranger,
    ticked,
    twice,
    unticked,
    uploaded,
)
from tests.browser.town import Town


@dataclass(frozen=True, slots=True)
class Stop:
    """`path` is a path, or the name of a post as `post:name`; `act` makes the state on the page that is there."""

    name: str
    path: str
    who: str | None = None
    act: Callable[[Page], None] | None = None
    empty: bool = False  # of the site where nothing was written
    spoils: bool = False  # the session is over afterwards

    def go(self, page: Page, town: Town) -> None:
        page.goto(resolved(self.path, town))
        if self.act:
            self.act(page)


def resolved(path: str, town: Town) -> str:
    """`post:x` is the address of a post, `{x}` the id of a post, `{x.user}` of a person, `{x.comment}` of a comment, `{x.board}`
    of a board, `{x.poll}` of a poll, `{x.file}` the stored name of a file; `{x.link}` is the token of a mail."""
    if path.startswith("post:"):
        return town.path(path.removeprefix("post:"))
    ids = {name: str(post.id) for name, post in town.posts.items()}
    ids |= {f"{name}.user": str(user.id) for name, user in town.users.items()}
    ids |= {f"{name}.link": token for name, token in town.links.items()}
    ids |= {f"{name}.board": str(id) for name, id in town.boards.items()}
    ids |= {f"{name}.poll": str(poll.id) for name, poll in town.polls.items()}
    ids |= {f"{name}.file": file.stored_name for name, file in town.files.items()}
    ids |= {f"{name}.comment": str(id) for name, id in town.comments.items()}
    for name, id in ids.items():
        path = path.replace(f"{{{name}}}", id)
    return path


LONG_NAME = {"name": hostile.LONG, "email": hostile.LONG, "password": "short"}
WRONG_POST = {"title": "", "body": "", "summary": "s" * 400, "tags": hostile.LONG}

STOPS = (
    Stop("front", "/"),
    Stop("front-last", "/page/6"),
    Stop("front-member", "/", "wide"),
    Stop("front-empty", "/", empty=True),
    Stop("post", "post:everything"),
    Stop("post-quiet", "post:quiet"),
    Stop("post-hostile", "post:hostile"),
    Stop("post-member", "post:hostile", "bob", answering),
    Stop("post-scripts", "post:scripts"),
    Stop("post-chinese", "post:chinese"),
    Stop("post-crowded", "post:crowded", "alice"),
    Stop("tag", "/tag/old"),
    Stop("tag-hostile", f"/tag/{hostile.TAG}"),
    Stop("archive", "/archive"),
    Stop("archive-empty", "/archive", empty=True),
    Stop("month", "/archive/2019-05"),
    Stop("user", "/user/{rosa.user}"),
    Stop("user-hostile", "/user/{wide.user}"),
    Stop("user-imported", "/user/{ruth.user}"),
    Stop("user-empty", "/user/{ada.user}"),
    Stop("about", "/about"),
    Stop("boards", "/boards"),
    Stop("boards-member", "/boards", "bob"),
    Stop("boards-empty", "/boards", empty=True),
    Stop("board", "/boards/ripples"),
    Stop("board-member", "/boards/hostile?window=week", "bob"),
    Stop("board-posts", "/boards/discussed"),
    Stop("board-closed", "/boards/closed"),
    Stop("polls", "/polls"),
    Stop("polls-closed", "/polls?status=closed", "bob"),
    Stop("polls-empty", "/polls", empty=True),
    Stop("poll", "/polls/{plain.poll}"),
    Stop("poll-member", "/polls/{plain.poll}", "bob"),
    Stop("poll-hostile", "/polls/{hostile.poll}", "alice"),
    Stop("poll-secret", "/polls/{secret.poll}"),
    Stop("poll-late", "/polls/{late.poll}", "bob"),
    Stop("poll-closed", "/polls/{closed.poll}"),
    Stop("ballot", "/polls/{plain.poll}/ballot?done=voted", "bob"),
    Stop("ballot-wrong", "/polls/{late.poll}/ballot", "olga", unticked),
    Stop("ballot-closed", "/polls/{closed.poll}/ballot", "bob"),
    Stop("ballot-visitor", "/polls/{secret.poll}/ballot"),
    Stop("post-asking", "post:asking", act=drawn),
    Stop("post-asking-member", "post:asking", "bob", drawn),
    Stop("search-polls", "/search?q=tea&in=polls"),
    Stop("search-polls-none", "/search?q=nothinglikethis&in=polls"),
    Stop("play", "/play"),
    Stop("play-over", "/play", act=played),
    Stop("files", "/files"),
    Stop("files-member", "/files", "bob", uploaded),
    Stop("files-empty", "/files", empty=True),
    Stop("file-image", "/p/{picture.file}", "bob"),
    Stop("file-wide", "/p/{wide.file}", "olga"),
    Stop("file-pdf", "/p/{paper.file}"),
    Stop("file-audio", "/p/{sound.file}"),
    Stop("file-text", "/p/{program.file}"),
    Stop("file-page", "/p/{page.file}"),
    Stop("file-empty", "/p/{empty.file}"),
    Stop("file-binary", "/p/{bytes.file}"),
    Stop("own-files", "/account/files", "bob"),
    Stop("own-files-empty", "/account/files", "alice", empty=True),
    Stop("register", "/register"),
    Stop("register-wrong", "/register", act=press("Register", **LONG_NAME)),
    Stop("register-waiting", "/register", empty=True,
         act=press("Register", name="Newcomer", email="new@example.org", password="unrelated words here")),
    Stop("signin", "/signin"),
    Stop("signin-wrong", "/signin", act=press("Sign in", email=hostile.LONG, password="no")),
    Stop("signin-often", "/signin", empty=True, act=twice("Sign in", email="often@example.org", password="no")),
    Stop("forgot", "/forgot"),
    Stop("forgot-none", "/forgot", empty=True),
    Stop("forgot-wrong", "/forgot", act=press("Send the link", email=hostile.LONG)),
    Stop("forgot-sent", "/forgot", act=press("Send the link", email=f"{hostile.LONG[:100]}@example.org")),
    Stop("reset", "/reset?token={reset.link}"),
    Stop("reset-wrong", "/reset?token={reset.link}", act=press("Set the password", password="short")),
    Stop("confirm", "/confirm?token={confirm.link}"),
    Stop("link-over", "/reset?token=none"),
    Stop("unsubscribe", "/unsubscribe/{ticket.link}"),
    Stop("comment-stranger", "post:hostile", act=stranger),
    Stop("comment-reply", "/comments/{bob.comment}/reply", "bob"),
    Stop("comment-edit", "/comments/{bob.comment}/edit", "bob"),
    Stop("comment-edit-wrong", "/comments/{bob.comment}/edit", "bob", press("Save", body="")),
    Stop("account", "/account", "bob"),
    Stop("account-hostile", "/account?done=name", "wide"),
    Stop("account-empty", "/account", "olga"),
    Stop("account-wrong", "/account", "bob", press("Change the password", current="no", new="short")),
    Stop("account-token", "/account", "olga", press("Make a token", token_name=hostile.LONG[:60], token_days="0")),
    Stop("token-made", "/account", "olga", ticked("Make a token", token_name=hostile.LONG[:60], token_days="7")),
    Stop("account-address", "/account", "olga", press("Change the address", email=hostile.LONG, password="no")),
    Stop("manage-mails", "/manage/mails", "olga"),
    Stop("manage-mails-failed", "/manage/mails?state=failed&done=again&n=1", "olga"),
    Stop("manage-mails-empty", "/manage/mails", "ada", empty=True),
    Stop("manage", "/manage/blogs", "alice"),
    Stop("manage-drafts", "/manage/blogs?status=draft&done=publish", "alice"),
    Stop("manage-trash", "/manage/blogs?status=trashed", "alice"),
    Stop("manage-scheduled", "/manage/blogs?status=scheduled", "alice"),
    Stop("manage-empty", "/manage/blogs", "alice", empty=True),
    Stop("manage-home", "/manage/", "ada"),
    Stop("manage-home-empty", "/manage/", "alice", empty=True),
    Stop("manage-comments", "/manage/comments", "alice"),
    Stop("manage-comments-empty", "/manage/comments?status=held", "alice", empty=True),
    Stop("manage-comments-none", "/manage/comments?status=trashed&q=nothinglikethis", "alice"),
    Stop("manage-users", "/manage/users", "olga"),
    Stop("manage-users-none", "/manage/users?name=nobody", "olga"),
    Stop("manage-user", "/manage/users/{wide.user}", "ada"),
    Stop("manage-user-link", "/manage/users/{bob.user}", "olga", press("A link for a new password"), empty=True),
    Stop("manage-boards", "/manage/boards?done=hide&n=2&left=1&batch=1", "olga"),
    Stop("manage-board", "/manage/boards/create", "olga", press("Make the board", title="", slug=hostile.LONG, least="x")),
    Stop("manage-board-builtin", "/manage/boards/1", "olga"),
    Stop("manage-scores", "/manage/boards/{hostile.board}/scores", "olga"),
    Stop("manage-scores-posts", "/manage/boards/2/scores", "olga"),
    Stop("manage-scores-none", "/manage/boards/{hostile.board}/scores?member=999999", "olga"),
    Stop("manage-polls", "/manage/polls?done=close&n=2&left=1&batch=1", "alice"),
    Stop("manage-polls-author", "/manage/polls?author={wide.user}", "olga"),
    Stop("manage-polls-none", "/manage/polls?q=nothinglikethis", "alice"),
    Stop("manage-polls-trash", "/manage/polls?status=trashed", "alice", empty=True),
    Stop("manage-polls-empty", "/manage/polls", "alice", empty=True),
    Stop("manage-poll", "/manage/polls/{planned.poll}?done=saved", "alice"),
    Stop("manage-poll-voted", "/manage/polls/{hostile.poll}", "alice", press("Save", closes_at="2020-01-01T10:00")),
    Stop("manage-poll-new", "/manage/polls/create", "alice"),
    Stop("manage-poll-wrong", "/manage/polls/create", "alice",
         press("Make the poll", question=hostile.LONG * 2, choices=hostile.LONG, closes_at="2020-01-01T10:00")),
    Stop("manage-files", "/manage/files?done=trash&n=2&left=1&batch=1", "olga"),
    Stop("manage-files-trash", "/manage/files?status=trashed", "olga"),
    Stop("manage-files-none", "/manage/files?kind=video&owner=999999", "olga"),
    Stop("manage-files-empty", "/manage/files", "olga", empty=True),
    Stop("manage-roles", "/manage/roles", "ada", press("Make the role", name="", description=hostile.LONG)),
    Stop("manage-role", "/manage/roles/2", "ada"),
    Stop("manage-site", "/manage/site", "ada", press("Save", title="", logo=hostile.LONG)),
    Stop("manage-cache", "/manage/cache", "ada"),
    Stop("manage-cache-row", "/manage/cache?key=post+{hostile}", "ada"),
    Stop("manage-cache-page", "/manage/cache?key=/&done=key", "ada"),
    Stop("manage-cache-wrong", f"/manage/cache?key={hostile.LONG}", "ada"),
    Stop("manage-cache-empty", "/manage/cache?span=day", "ada", empty=True),
    Stop("manage-audit", "/manage/audit", "ada"),
    Stop("manage-audit-empty", "/manage/audit?target=nothing", "ada"),
    Stop("write", "/manage/blogs/create", "alice"),
    Stop("write-wrong", "/manage/blogs/create", "alice", press("Publish now", **WRONG_POST)),
    Stop("edit", "/manage/blogs/edit?id={draft}&done=saved", "alice"),
    Stop("edit-hostile", "/manage/blogs/edit?id={hostile}", "alice"),
    Stop("edit-stale", "/manage/blogs/edit?id={draft}", "alice", beaten),
    Stop("edit-ended", "/manage/blogs/edit?id={draft}", "alice", ended, spoils=True),
    Stop("write-late", "/manage/blogs/create", "alice", press("Schedule", **WRONG_POST, at="2020-01-01T10:00")),
    Stop("revisions", "/manage/blogs/revisions?id={draft}", "alice"),
    Stop("revisions-empty", "/manage/blogs/revisions?id={everything}", "alice"),
    Stop("revision", "/manage/blogs/revisions?id={hostile}", "alice", follow("What it changed")),
    Stop("manage-done", "/manage/blogs?done=trash&n=2&left=1&batch=1&tag=calm", "alice"),
    Stop("manage-none", "/manage/blogs?tag=nothinglikethis", "alice"),
    Stop("preview", "/manage/blogs/preview?id={draft}", "alice"),
    Stop("preview-hostile", "/manage/blogs/preview?id={hostile}", "alice"),
    Stop("forbidden", "/manage/blogs", "bob"),
    Stop("missing", f"/{hostile.LONG}"),
    Stop("method", "/signout"),
    Stop("too-large", "/register", empty=True, act=press("Register", email="x" * 70_000)),
)  # fmt: skip
