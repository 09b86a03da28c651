"""The resources of `/api/v1`."""

from typing import Any

from handlers import me, openapi, v1, v1_account, v1_boards, v1_files, v1_polls
from handlers.base import ID
from handlers.boards import SLUG
from handlers.file_addresses import NAME

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/api/v1/me", me.Me, "me"),
    (r"/api/v1/", openapi.Resources, "v1"),
    (r"/api/v1/openapi\.json", openapi.OpenApi, "v1_openapi"),
    (r"/api/v1/me/tokens", v1_account.OwnTokens, "v1_tokens"),
    (rf"/api/v1/me/tokens/{ID}", v1_account.OwnToken, "v1_token"),
    (r"/api/v1/me/sessions", v1_account.OwnSessions, "v1_sessions"),
    (rf"/api/v1/me/sessions/{ID}", v1_account.OwnSession, "v1_session"),
    (r"/api/v1/boards", v1_boards.ManyBoards, "v1_boards"),
    (rf"/api/v1/boards/{SLUG}", v1_boards.OneBoard, "v1_board"),
    (rf"/api/v1/boards/{SLUG}/players/{ID}", v1_boards.Player, "v1_player"),
    (rf"/api/v1/boards/{SLUG}/scores", v1_boards.NewScores, "v1_scores"),
    (r"/api/v1/polls", v1_polls.ManyPolls, "v1_polls"),
    (rf"/api/v1/polls/{ID}", v1_polls.OnePoll, "v1_poll"),
    (rf"/api/v1/polls/{ID}/ballot", v1_polls.Ballot, "v1_ballot"),
    (r"/api/v1/files", v1_files.ManyFiles, "v1_files"),
    (rf"/api/v1/files/{NAME}", v1_files.OneFile, "v1_file"),
    (r"/api/v1/.*", v1.NoSuchResource, "v1_unknown"),
)
