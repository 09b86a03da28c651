"""Plaza's routes as results call them: those in handlers/ are the truth, and a test holds these beside them."""

import re
from functools import lru_cache
from typing import Final

SHAPES: Final = {
    "n": r"\d{1,18}", "slug": "[^/]+", "board": "[a-z0-9-]{1,60}", "name": "[0-9a-f]{32}[.a-z0-9]{0,11}", "page": "[^/]+",
    "month": r"\d{4}-\d{2}", "feed": "(?:atom|rss|json)", "short": "[A-Za-z0-9]{1,20}", "ticket": "[0-9a-f-]{1,60}",
    "lang": "(?:en|zh)", "action": "[a-z]+", "other": ".*",
}  # fmt: skip
_ROUTES: Final = """
/ /page/<page> /blog/<n>-<slug> /blog/<n> /blog/<n>/comments /comments/<n> /comments/<n>/edit /comments/<n>/delete
/comments/<n>/reply /tag/<slug> /tag/<slug>/page/<page> /archive /archive/<month> /user/<n> /user/<n>/page/<page> /about
/boards /boards/<board> /play
/polls /polls/feed.<feed> /polls/<n> /polls/<n>/ballot /polls/<n>/live /questions /questions/<n>/choice
/files /files/feed.<feed> /j /p/<name> /i/<name> /d/<name> /s/<short> /r/<name> /latest_files
/account/files /account/picture /account/picture/remove
/search /feed.<feed> /tag/<slug>/feed.<feed> /user/<n>/feed.<feed> /blog/<n>/feed.<feed>
/sitemap.xml /sitemap-site.xml /sitemap-<n>.xml /robots.txt /llms.txt
/register /signin /signout /account /account/name /account/password /account/address /account/address/confirm /account/notices
/account/sessions/revoke /account/sessions/<n>/revoke /account/tokens /account/tokens/<n>/revoke
/forgot /reset /confirm /unsubscribe/<ticket> /language/<lang>
/manage/ /manage /manage/blogs /manage/blogs/create /manage/blogs/edit /manage/blogs/render /manage/blogs/autosave
/manage/blogs/discard /manage/blogs/revisions /manage/blogs/revision /manage/blogs/preview /manage/blogs/<n>/<action>
/manage/comments /manage/users /manage/users/<n> /manage/users/<n>/roles /manage/users/<n>/link /manage/roles /manage/roles/<n>
/manage/roles/<n>/delete /manage/site /manage/mails /manage/boards /manage/boards/create /manage/boards/<n>
/manage/boards/<n>/scores /manage/polls /manage/polls/create /manage/polls/<n> /manage/polls/<n>/<action> /manage/files
/manage/cache /manage/cache/drop /manage/audit /manage/audit.csv
/api/blogs /api/blogs/<n> /api/blogs/<n>/delete /api/blogs/<n>/comments /api/comments /api/comments/<n>/delete /api/users
/api/authenticate /api/v1/me /api/v1/ /api/v1/openapi.json /api/v1/me/tokens /api/v1/me/tokens/<n> /api/v1/me/sessions
/api/v1/me/sessions/<n> /api/v1/boards /api/v1/boards/<board> /api/v1/boards/<board>/players/<n> /api/v1/boards/<board>/scores
/api/v1/polls /api/v1/polls/<n> /api/v1/polls/<n>/ballot /api/v1/files /api/v1/files/<name> /api/v1/<other> /api/<other>
/healthz /metrics /readyz /.well-known/replay-target /static/<other>
"""
ROUTES: Final = tuple(_ROUTES.split())


def pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub("<([a-z]+)>", lambda word: SHAPES[word[1]], route.replace(".", r"\.")), re.ASCII)


_PLAIN: Final = frozenset(route for route in ROUTES if "<" not in route)
_PATTERNS: Final = tuple((route, pattern(route)) for route in ROUTES if "<" in route)


@lru_cache(16384)
def route_of(path: str) -> str:
    """The first that fits, as Tornado finds it; "other" for an address that the site does not have."""
    if path in _PLAIN:
        return path
    return next((route for route, pattern in _PATTERNS if pattern.fullmatch(path)), "other")
