"""The routes of the polls."""

from typing import Any

from handlers import feeds, live, poll_aliases, polls
from handlers.base import ID

# (pattern, handler, name for reverse_url)
ROUTES: tuple[tuple[str, type[Any], str], ...] = (
    (r"/polls", polls.PollsPage, "polls"),
    (r"/polls/feed\.(atom|rss|json)", feeds.PollsFeed, "polls_feed"),
    (rf"/polls/{ID}", polls.PollPage, "poll"),
    (rf"/polls/{ID}/ballot", polls.BallotPage, "ballot"),
    (rf"/polls/{ID}/live", live.LiveResults, "poll_live"),
    (r"/questions", poll_aliases.Questions, "questions"),
    (rf"/questions/{ID}/choice", poll_aliases.Choices, "question_choices"),
)
