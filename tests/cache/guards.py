"""What keeps the cache right, guard by guard: where each stands in the code, and what fails without it."""

from tests.cache.guards_of_boards import OF_BOARDS
from tests.cache.guards_of_polls import OF_POLLS
from tests.cache.guards_of_readers import OF_FILLS, OF_LISTS
from tests.cache.mutations import (
    DATABASE,
    FAMILIES,
    FILLS,
    KILLED,
    LOCAL,
    LUA,
    PAGES,
    RESTARTS,
    WEATHER,
    WRITERS,
    guard,
)

OF_WRITES = (
    guard(
        "begin before COMMIT",
        (
            "models/base.py",
            "if slots and (not await self._cache.begin(slots, write.writer, HOLD) or self.critical):",
            "if slots and self.critical:",
        ),
        needed_by=(KILLED + "r05_a_writer_killed_between_commit_and_end_leaves_nothing_old_and_bars_nobody_for_ever",),
    ),
    guard(
        "end after COMMIT",
        ("models/base.py", "if await self._cache.end(slots, write.writer) or write.kept:", "if True:"),
        needed_by=(WRITERS + "r04_a_write_that_has_returned_leaves_nothing_that_keeps_the_row_from_being_remembered",),
    ),
    guard(
        "end after what was rolled back",
        ("models/base.py", "if write and committing:", "if write and committing and write.doubtful is not None:"),
        needed_by=(WRITERS + "r07_what_was_rolled_back_after_begin_was_never_seen_and_bars_nobody",),
    ),
    guard(
        "writers are counted",
        (LUA + "end.lua", "if rest == '' then", "if true then"),
        needed_by=(
            WRITERS + "r09_the_end_of_one_writer_does_not_free_a_row_that_another_is_about_to_commit_and_crash",
        ),
    ),
    guard(
        "each writer has a deadline",
        (LUA + "prelude.lua", "local due = struct.unpack('>I8', data, at + 16)", "local due = now + 10000"),
        needed_by=(
            KILLED + "r30_a_writer_killed_on_a_row_that_others_keep_writing_does_not_bar_it_for_as_long_as_they_write",
        ),
    ),
    guard(
        "end deletes whatever stands",
        (
            LUA + "end.lua",
            "    redis.call('DEL', KEYS[k])",
            "    if kind(get(KEYS[k])) == 'T' then redis.call('DEL', KEYS[k]) end",
        ),
        needed_by=(FILLS + "r18_what_was_filled_while_a_tombstone_was_evicted_goes_with_the_end",),
    ),
    guard(
        "a transaction ends before its tombstone",
        ("models/base.py", "async with asyncio.timeout(TRANSACTION_SECONDS), self.db", "async with self.db"),
        needed_by=(WRITERS + "r10_a_transaction_is_given_up_before_its_tombstone_ends",),
    ),
    guard(
        "who stood still does not commit",
        ("models/base.py", "if time.clock_gettime(time.CLOCK_BOOTTIME) - began > TRANSACTION_SECONDS:", "if False:"),
        needed_by=(WRITERS + "r10_a_process_that_slept_in_its_transaction_does_not_commit",),
    ),
    guard(
        "an outbox row for a begin that is not confirmed",
        ("models/base.py", "await outbox.keep(connection, write.writer, slots)", "pass"),
        needed_by=(RESTARTS + "r27_a_write_without_redis_is_kept_in_the_outbox_and_seen_when_redis_is_back",),
    ),
    guard(
        "an outbox row for an end that is not confirmed",
        ("models/base.py", "            await outbox.keep_after(self.db, write.writer, slots)\n", "            pass\n"),
        needed_by=(
            RESTARTS
            + "r27_a_write_whose_redis_goes_away_between_begin_and_end_is_kept_in_the_outbox_before_it_returns",
        ),
    ),
    guard(
        "the outbox before trust",
        ("cache/line.py", "                await self._replay()\n", "                pass\n"),
        needed_by=(RESTARTS + "r27_hits_are_not_trusted_before_the_outbox_has_been_replayed",),
    ),
    guard(
        "the outbox again when a write came meanwhile",
        ("models/outbox.py", "self._cache.unconfirmed != before", "before < 0"),
        needed_by=(RESTARTS + "r27_a_write_during_the_replay_is_not_forgotten_about",),
    ),
    guard(
        "a COMMIT in doubt is seen off",
        ("models/base.py", "                await self.db.see_off(write.doubtful)\n", ""),
        needed_by=(WRITERS + "r06_a_commit_that_arrives_after_its_writer_gave_up_leaves_nothing_old_behind",),
    ),
    guard(
        "a snapshot after the lease",
        ("models/database.py", "= 8, tx_isolation = 'READ-COMMITTED'", "= 8, tx_isolation = 'REPEATABLE-READ'"),
        ("models/database.py", "autocommit=True", "autocommit=False"),
        needed_by=(WRITERS + "r08_a_load_reads_a_snapshot_that_was_opened_after_its_lease",),
    ),
    guard(
        "a connection that was given up is thrown away",
        ("models/database.py", "                    raw.close()\n", "                    pass\n"),
        needed_by=(DATABASE + "the_connection_of_an_answer_that_could_not_be_read_to_its_end_is_discarded",),
    ),
)

OF_EPOCHS = (
    guard(
        "the epoch in every script",
        (LUA + "prelude.lua", "if redis.call('GET', KEYS[1]) ~= ARGV[1] then", "if false then"),
        needed_by=(LOCAL + "r19_flushall_between_begin_and_commit_leaves_nothing_old_behind",),
    ),
    guard(
        "the epoch in every MGET",
        ("cache/gets.py", "or part[0] != epoch", ""),
        needed_by=(RESTARTS + "r17_who_reads_under_an_epoch_that_is_no_more_goes_over_to_the_next",),
    ),
    guard(
        "the run id in the epoch",
        (LUA + "epoch.lua", "or string.sub(epoch, 1, #run + 1) ~= run .. ':' then", "then"),
        needed_by=(RESTARTS + "r17_what_redis_brings_back_from_an_old_dump_is_out_of_reach",),
    ),
    guard(
        "the epoch in every name",
        ("cache/line.py", 'self.prefix = f"{self._namespace}:{self.epoch}:"', 'self.prefix = f"{self._namespace}::"'),
        needed_by=(RESTARTS + "r17_what_redis_brings_back_from_an_old_dump_is_out_of_reach",),
    ),
    guard(
        "a dropped family has other names",
        (
            "cache/line.py",
            "self.prefixes.get(family_of(name), self.prefix) if self.prefixes else self.prefix",
            "self.prefix",
        ),
        needed_by=(FAMILIES + "who_heard_no_push_is_told_by_the_next_question",),
    ),
    guard(
        "pushes of a dropped family are heard",
        (
            "cache/tracking.py",
            'bare(key[len(prefix) :].decode("utf-8", "surrogatepass"))',
            "key[len(prefix) :].decode()",
        ),
        needed_by=(FAMILIES + "what_is_written_after_a_drop_is_heard_of_by_all",),
    ),
    guard(
        "the push of an epoch empties the level",
        (
            "cache/tracking.py",
            "elif key == self._epoch_key:\n                self.flushes += 1\n                self.local.flush()",
            "elif key == self._epoch_key:\n                pass",
        ),
        needed_by=(FAMILIES + "what_was_remembered_of_a_dropped_family_is_read_again_by_everybody",),
    ),
    guard(
        "late answers end a connection",
        (
            "cache/wire.py",
            'self.close(Late(f"no answer in {self._seconds} s"))',
            'self._waiting.popleft()[2](Late("no answer"))',
        ),
        (
            "cache/line.py",
            "            self.wire.close(error)\n        if self.up:",
            "            pass\n        if self.up:",
        ),
        needed_by=(WEATHER + "an_answer_that_comes_after_its_time_out_is_nobodys_answer",),
    ),
)

OF_LOCAL = (
    guard(
        "the ticket",
        (
            "cache/local.py",
            "or not self._admission.again(name) or not ticket.alive",
            "or not self._admission.again(name)",
        ),
        needed_by=(LOCAL + "r16_a_push_that_comes_before_the_answer_to_get_keeps_the_answer_out",),
    ),
    guard(
        "the fence",
        ("cache/local.py", "self.look()\n        return now() <= self.until", "self.look()\n        return True"),
        needed_by=(LOCAL + "r21_the_fence_is_looked_at_by_every_read",),
    ),
    guard(
        "own writes drop what the process has",
        ("cache/aside.py", "finally:\n            self.local.drop(names)\n", "finally:\n            pass\n"),
        needed_by=(LOCAL + "r22_a_process_reads_its_own_write_at_once_though_the_push_is_still_on_its_way",),
    ),
    guard(
        "the canary",
        ("cache/tracking.py", "            if not self._canary.well(pinged):\n                return\n", ""),
        needed_by=(LOCAL + "r20_without_a_canary_the_level_stays_shut",),
    ),
    guard(
        "FLUSHALL empties the level",
        ("cache/tracking.py", "self.local.flush()\n            return", "return"),
        ("cache/line.py", '["epochs"] += 1\n            self.tell()\n', '["epochs"] += 1\n'),
        needed_by=(LOCAL + "r19_flushall_clears_the_level_of_every_process_and_voids_every_lease",),
    ),
    guard(
        "a broken push connection empties the level",
        ("cache/tracking.py", "self._well = False\n                self.local.shut()\n", "self._well = False\n"),
        ("cache/local.py", 'nothing is known."""\n        self.shut()\n', 'nothing is known."""\n'),
        needed_by=(LOCAL + "r20_a_push_connection_that_broke_makes_the_level_forget_all",),
    ),
)

OF_PAGES = (
    guard(
        "a page is compared with what it was made of",
        ("cache/pages.py", "if data is None or self._stamp(data) != stamp:", "if data is None:"),
        needed_by=(PAGES + "a_change_of_any_of_its_names_takes_the_page",),
    ),
    guard(
        "the ticket of a page that is looked at",
        ("cache/pages.py", "if ticket.alive and self._pages", "if self._pages"),
        needed_by=(PAGES + "a_change_during_the_check_leaves_the_page_unarmed",),
    ),
    guard(
        "the ticket of a page that is made",
        ("cache/pages.py", "        if reading.alive:\n            self._arm(page)", "        self._arm(page)"),
        needed_by=(PAGES + "a_change_while_it_was_made_leaves_the_page_unarmed",),
    ),
    guard(
        "the taint",
        ("cache/pages.py", "if reading.why or not reading.stamps:", "if not reading.stamps:"),
        needed_by=(PAGES + "a_tainted_page_and_one_made_of_nothing_are_not_kept",),
    ),
)

GUARDS = (*OF_FILLS, *OF_WRITES, *OF_LISTS, *OF_EPOCHS, *OF_LOCAL, *OF_PAGES, *OF_BOARDS, *OF_POLLS)
