"""What keeps the counts of polls, and what is told of them live, true."""

from tests.cache.mutations import guard

HERE, TROUBLES = "tests/handlers/test_live.py::test_", "tests/handlers/test_live_troubles.py::test_"

OF_POLLS = (
    guard(
        "a vote makes the counts forgotten",
        ("models/results.py", "        w.touch(*shown_in(id))", "        pass"),
        needed_by=(HERE + "who_listens_is_sent_the_result_and_each_change",),
    ),
    guard(
        "news are told",
        ("models/news.py", "        cache.ended.append(self._ended)", ""),
        needed_by=(HERE + "who_listens_hears_at_once",),
    ),
    guard(
        "what is watched is read without news",
        ("models/live.py", "                self._heard(None)\n            if", "                pass\n            if"),
        needed_by=(TROUBLES + "a_change_that_nobody_told_of_is_found",),
    ),
    guard(
        "a new connection may have missed news",
        ("models/hearing.py", "heard(said or None)", "heard(said)"),
        needed_by=(TROUBLES + "after_an_outage_of_redis_all_that_is_watched_is_read",),
    ),
)
