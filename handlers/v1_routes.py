"""The resources of `/api/v1`."""

from typing import Any

from handlers import me, openapi, v1, v1_account
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/api/v1/me", me.Me, "me"),
    (r"/api/v1/", openapi.Resources, "v1"),
    (r"/api/v1/openapi\.json", openapi.OpenApi, "v1_openapi"),
    (r"/api/v1/me/tokens", v1_account.OwnTokens, "v1_tokens"),
    (rf"/api/v1/me/tokens/{ID}", v1_account.OwnToken, "v1_token"),
    (r"/api/v1/me/sessions", v1_account.OwnSessions, "v1_sessions"),
    (rf"/api/v1/me/sessions/{ID}", v1_account.OwnSession, "v1_session"),
    (r"/api/v1/.*", v1.NoSuchResource, "v1_unknown"),
)
