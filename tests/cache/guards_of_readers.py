"""The guards of fills and lists: where each stands in the code, and what fails without it."""

from tests.cache.mutations import EDGES, FILLS, LISTS, LOADERS, LOCAL, LUA, WRITERS, guard

OF_FILLS = (
    guard(
        "the token of a fill",
        (LUA + "fill.lua", "standing == lease or", "kind(standing) == 'L' or"),
        needed_by=(FILLS + "r03_who_fills_after_its_lease_has_ended_does_not_overwrite_the_next_lease",),
    ),
    guard(
        "a token for each fill",
        ("cache/aside.py", 'next(self._count).to_bytes(8, "big")', "bytes(8)"),
        needed_by=(FILLS + "r02_no_two_fills_of_a_process_have_one_token",),
    ),
    guard(
        "a fill needs a lease that stands",
        (LUA + "fill.lua", "return 'expired'", "return 'stored'"),
        needed_by=(FILLS + "r01_a_fill_that_read_before_a_write_is_refused_after_it",),
    ),
    guard(
        "a fill does not touch a value",
        (LUA + "fill.lua", "return 'superseded'", "return 'stored'"),
        needed_by=(FILLS + "r03_who_fills_after_its_lease_has_ended_does_not_overwrite_a_value",),
    ),
    guard(
        "a fill does not touch a tombstone",
        (LUA + "fill.lua", "return 'invalidated'", "return 'stored'"),
        needed_by=(FILLS + "r01_a_fill_is_refused_while_the_write_is_under_way_too",),
    ),
    guard(
        "a reader does not take the lease from a tombstone",
        (LUA + "acquire.lua", "if others(data, 'T', '') ~= '' then", "if false then"),
        needed_by=(WRITERS + "r04_forgetting_before_commit_is_not_undone_by_a_reader_who_refills_the_old_row",),
    ),
    guard(
        "a lease keeps others from loading",
        (LUA + "acquire.lua", "if what == 'L' and data ~= lease then", "if false then"),
        needed_by=(FILLS + "r03_a_lease_that_stands_makes_others_wait_for_its_fill",),
    ),
    guard(
        "a write and a fill end the right to refresh",
        (LUA + "fill.lua", "    redis.call('DEL', sister)\n", ""),
        (LUA + "begin.lua", "redis.call('DEL', KEYS[k + 1])", ""),
        (LUA + "end.lua", "redis.call('DEL', KEYS[k + 1])", ""),
        needed_by=(FILLS + "r03_an_early_refresh_that_read_before_a_write_is_refused_after_it",),
    ),
    guard(
        "one is elected to refresh",
        (LUA + "acquire.lua", "if not elected or elected == lease then", "if true then"),
        needed_by=(FILLS + "r03_of_all_who_are_nominated_one_refreshes_and_nobody_waits",),
    ),
    guard(
        "a loader that failed gives its lease back",
        ("cache/loading.py", "            if leased:\n                await self._link.release(leased, token)\n", ""),
        needed_by=(LOADERS + "r24_a_loader_that_raises_gives_its_lease_back_and_nothing_is_remembered",),
    ),
    guard(
        "the schema in the record",
        ("cache/records.py", "kind != VALUE or schema != schema_of(cls) or stamps", "kind != VALUE or stamps"),
        needed_by=(LOADERS + "r25_two_programs_with_two_shapes_of_a_row_take_turns_and_each_reads_its_own",),
    ),
    guard(
        "the join rule",
        ("cache/flights.py", "if loaded[name].by > sent", ""),
        needed_by=(
            LOCAL + "r28_who_joins_a_load_after_a_write_has_returned_is_not_given_its_answer",
            LOCAL + "r28_who_joins_the_load_of_a_list_after_a_write_has_returned_is_not_given_its_answer",
        ),
    ),
    guard(
        "a load belongs to the cache",
        ("cache/flights.py", "await asyncio.shield(flight.task)", "await flight.task"),
        needed_by=(LOCAL + "r23_the_first_caller_goes_away_and_the_others_are_answered",),
    ),
    guard(
        "the bound on what is stored",
        (
            "cache/shapes.py",
            "return Fill(name, record, ttl_ms) if len(record) <= records.LARGEST else None",
            "return Fill(name, record, ttl_ms)",
        ),
        needed_by=(EDGES + "a_value_too_big_is_answered_and_counted_and_not_kept",),
    ),
)

OF_LISTS = (
    guard(
        "the index is checked against the row",
        ("models/base.py", "(row is not None and holds(row))", "row is not None"),
        needed_by=(LISTS + "r12_a_reader_between_index_and_row_does_not_get_the_row_that_has_lost_the_value",),
    ),
    guard(
        "generations are compared by the reader",
        ("cache/aside.py", "if stamps != tuple(map(records.generation, answers[1:])):", "if False:"),
        needed_by=(LISTS + "r14_a_list_that_stands_is_refused_as_soon_as_its_scope_has_begun_to_change",),
    ),
    guard(
        "generations are compared by acquire",
        (LUA + "acquire.lua", " and stamps_of(data) == stamps", ""),
        needed_by=(LISTS + "r15_a_list_is_not_served_while_its_generation_is_gone",),
    ),
    guard(
        "generations are compared by fill",
        (LUA + "fill.lua", "if writing or stamps ~= stamps_of(record) then", "if writing then"),
        needed_by=(LOCAL + "r28_who_joins_the_load_of_a_list_after_a_write_has_returned_is_not_given_its_answer",),
    ),
    guard(
        "pending writers stand in a generation",
        (LUA + "begin.lua", "'G' .. random .. rest .. mine", "'G' .. random .. rest"),
        needed_by=(LISTS + "r14_a_list_read_between_begin_and_commit_is_not_stored",),
    ),
    guard(
        "begin makes a new generation",
        (
            LUA + "begin.lua",
            "put(KEYS[k], 'G' .. random",
            "put(KEYS[k], 'G' .. (get(KEYS[k]) or 'G' .. random):sub(2, 9)",
        ),
        needed_by=(LISTS + "r14_a_list_that_stands_is_refused_as_soon_as_its_scope_has_begun_to_change",),
    ),
    guard(
        "end makes a new generation",
        (
            LUA + "end.lua",
            "put(KEYS[k], 'G' .. random",
            "put(KEYS[k], 'G' .. (get(KEYS[k]) or 'G' .. random):sub(2, 9)",
        ),
        needed_by=(FILLS + "r18_a_list_that_was_built_while_its_generation_was_evicted_is_refused",),
    ),
    guard(
        "a generation never comes back",
        ("cache/link.py", "secrets.token_bytes(8), *per_ask", "bytes(8), *per_ask"),
        needed_by=(LISTS + "r15_a_generation_that_was_evicted_does_not_come_back",),
    ),
)
