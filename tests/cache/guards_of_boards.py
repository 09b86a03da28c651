"""What keeps rankings right, guard by guard."""

from tests.cache.mutations import LUA, guard

HERE = "tests/cache/test_boards.py::test_"
FOLLOWED = "tests/models/test_reapplying.py::test_"

OF_BOARDS = (
    guard(
        "older news are no news",
        (LUA + "boards_apply.lua", "struct.unpack('>I8', old) < struct.unpack('>I8', entries, at + 8)", "true"),
        needed_by=(HERE + "the_newest_version_of_each_subject_wins_in_whatever_order_they_come",),
    ),
    guard(
        "a subject has one place",
        (LUA + "boards_apply.lua", "redis.call('ZREM', set, unpack(gone))", ""),
        needed_by=(HERE + "many_at_once_leave_what_the_last_versions_say",),
    ),
    guard(
        "half a ranking is none",
        (LUA + "boards.lua", "redis.call('ZCARD', set) == tonumber(redis.call('HGET', hash, 'n'))", "true"),
        needed_by=(HERE + "half_a_ranking_is_none[board:7:ever]",),
    ),
    guard(
        "a builder keeps his right",
        (LUA + "boards_apply.lua", "if string.sub(state, 1, 17) ~= 'B' .. token then", "if false then"),
        needed_by=(HERE + "one_builds_and_another_goes_on_where_it_was_killed",),
    ),
    guard(
        "what is being built is not shown",
        (LUA + "boards_look.lua", "if state ~= 'D' then", "if not state then"),
        needed_by=(HERE + "what_changes_while_it_is_built_is_in_it",),
    ),
    guard(
        "a change makes a new generation",
        (LUA + "boards_apply.lua", "      renew(generation, random, ends)", ""),
        (LUA + "boards_apply.lua", "redis.call('DEL', generation)", ""),
        needed_by=(HERE + "a_page_of_a_ranking_is_right_until_it_changes",),
    ),
    guard(
        "a generation ends with its window",
        (LUA + "boards.lua", "ends == 0 and GENERATION_TTL or math.min(GENERATION_TTL, ends - now)", "GENERATION_TTL"),
        needed_by=(HERE + "a_page_of_a_window_that_is_over_is_not_right",),
    ),
    guard(
        "scores are applied again",
        ("models/reapplying.py", "            await self._apply(new)", ""),
        needed_by=(FOLLOWED + "a_score_whose_writer_was_killed_is_applied_by_the_next_sweep",),
    ),
    guard(
        "a score is looked for below those that were seen",
        (
            "models/reapplying.py",
            "found = 0\n        for when",
            "found = self._marks[-1][1] if self._marks else 0\n        for when",
        ),
        needed_by=(FOLLOWED + "a_score_that_is_committed_later_than_those_after_it_is_not_passed_over",),
    ),
    guard(
        "rankings of unknown age are not trusted",
        ("models/reapplying.py", "if reached == 0 or newest < reached or", "if newest < reached or"),
        needed_by=(FOLLOWED + "when_nobody_knows_how_far_all_is_applied_no_ranking_is_trusted",),
    ),
)
