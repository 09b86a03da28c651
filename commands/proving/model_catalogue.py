"""The worlds that are searched: small ones in every run, large ones in long runs, and which flaw shows in which."""

from dataclasses import replace
from functools import partial

from commands.proving.model_flaws import Flaw
from commands.proving.model_readers import by_name, reader, refresher
from commands.proving.model_scenario import Scenario
from commands.proving.model_scripts import SISTER
from commands.proving.model_sharing import at_home, caller
from commands.proving.model_world import Content, Generation, Record, Value
from commands.proving.model_writers import Plan


def post(content: str) -> Plan:
    """A writer that gives the one row this content."""
    return Plan(lambda _: content, records=("post",))


def adds(row: str) -> Plan:
    """A writer that adds a row to the list. Another row, another lock: such writers do not wait for each other."""
    return Plan(lambda rows: tuple(sorted((*rows, row))), scopes=("list/scope",), lock=False)


def sure(plan: Plan) -> Plan:
    return replace(plan, rolls_back=False)


read = partial(reader, key="post")
refresh = partial(refresher, key="post")
call = partial(caller, key="post")
read_list = partial(reader, key="list")
find_a = partial(by_name, name="a")
read_at_home = partial(at_home, key="post", home="home")

CACHED: dict[str, Record] = {"post": Value("old")}

# One row, two writers who lock it. Redis loses nothing.
ROW = Scenario("a row", (read, read), (post("new"), post("newer")))
ROW_CALM = replace(ROW, name="a row, nobody killed", crashes=0)

# Redis evicts what it likes, and restarts. A read may then be older than what another saw of a write that has not returned.
FORGETFUL = Scenario(
    "a forgetful Redis", (read, read), (post("new"),), redis=CACHED, evicts=True, restarts=1, monotonic=False
)
CRITICAL = replace(FORGETFUL, name="a critical row", writers=(replace(post("new"), critical=True),), strict=True)

# COMMIT stays without an answer, and the server does it later.
DOUBT = Scenario("a COMMIT in doubt", (read, read), (replace(post("new"), doubt=True),), redis=CACHED, monotonic=False)

# The writer's way to Redis fails at `begin` or `end`.
CUT_OFF = Scenario("a writer cut off", (read, read), (replace(post("new"), link=False),), redis=CACHED, monotonic=False)

# A reader's way to Redis breaks, and what it had asked arrives long after it has asked again.
BROKEN = Scenario(
    "a broken connection", (partial(read, link=False), read), (sure(post("new")),), crashes=0, monotonic=False
)

# Early refresh: two who are nominated, and one who finds nothing.
REFRESH = Scenario(
    "an early refresh", (read, refresh, refresh), (sure(post("new")),), redis={**CACHED, f"post{SISTER}": None},
    evicts=True, monotonic=False,
)  # fmt: skip

# A list, and writers who do not wait for each other.
LIST = Scenario(
    "a list", (read_list,), (adds("x"), adds("y")), state=(), views={"list": lambda rows: rows},
    redis={"list": None, "list/scope": None},
)  # fmt: skip
LIST_CALM = replace(LIST, name="a list, nobody killed", crashes=0)
LIST_FORGOTTEN = replace(
    LIST, name="a list in a forgetful Redis", readers=(read_list, read_list), writers=(adds("x"),),
    redis={"list": Value((), ("before",)), "list/scope": Generation("before")}, evicts=True, monotonic=False,
)  # fmt: skip


# A unique name: writer 1 hands it from row 1 to row 2, writer 2 hands it back.
def number(names: tuple[str, str]) -> Content:
    return names.index("a") + 1 if "a" in names else None


NAMES = Scenario(
    "a unique name", (find_a,),
    (
        sure(Plan(lambda _: ("b", "a"), records=("name a", "row 1", "row 2"))),
        sure(Plan(lambda names: ("a", "d") if names[1] == "a" else None, records=("name a", "row 1", "row 2"))),
    ),
    state=("a", "c"),
    views={
        "who is a": lambda names: (number(names), "a") if "a" in names else None,
        "name a": number, "row 1": lambda names: names[0], "row 2": lambda names: names[1],
    },
    redis=dict.fromkeys(("name a", "row 1", "row 2")),
)  # fmt: skip

# Callers of one process who share a load.
FLIGHT = Scenario(
    "a shared load", (call, call), (sure(post("new")),), redis=CACHED, evicts=True, crashes=0, monotonic=False
)

# L1: of a process that only reads, and of one that also writes.
AWAY = Scenario("L1, written elsewhere", (read_at_home,) * 2, (sure(post("new")),), redis=CACHED, homes=("home",))
AWAY_CALM = replace(AWAY, name="L1, written elsewhere, nobody killed", crashes=0)
OWN = replace(AWAY, name="L1, written here", writers=(replace(sure(post("new")), home="home"),))

HERD = Scenario("a herd", (read,) * 3, (), crashes=0, expires=False, counts_loads=True)

SMALL = (
    ROW,
    FORGETFUL,
    CRITICAL,
    DOUBT,
    CUT_OFF,
    BROKEN,
    REFRESH,
    LIST,
    LIST_FORGOTTEN,
    NAMES,
    FLIGHT,
    AWAY,
    OWN,
    HERD,
)

LARGE = (
    replace(ROW, name="a row, three readers", readers=(read,) * 3, writers=(post("new"), sure(post("newer")))),
    replace(ROW, name="a row, two killed", crashes=2),
    replace(FORGETFUL, name="a forgetful Redis, two writers", writers=(post("new"), sure(post("newer")))),
    replace(DOUBT, name="a COMMIT in doubt, and another", writers=(*DOUBT.writers, post("newer")), evicts=True),
    replace(CUT_OFF, name="a writer cut off, and another", writers=(*CUT_OFF.writers, post("newer")), evicts=True),
    replace(LIST, name="a list, two readers", readers=(read_list,) * 2),
    replace(NAMES, name="a unique name, two readers", readers=(find_a,) * 2, crashes=0),
    replace(FLIGHT, name="a load three callers share", readers=(call,) * 3),
    replace(AWAY, name="L1, evictions", evicts=True),
    replace(
        AWAY,
        name="L1, two writers",
        crashes=0,
        readers=(read_at_home,),
        writers=(sure(post("new")), replace(sure(post("newer")), home="home")),
    ),
)

GUILTY: tuple[tuple[Scenario, Flaw, str], ...] = (
    (ROW, Flaw.PLAIN_GET_SET, "G1"),
    (ROW, Flaw.FORGET_BEFORE_COMMIT, "G1"),
    (ROW, Flaw.NO_BEGIN, "G4"),
    (ROW, Flaw.TOKEN_PER_CLIENT, "G1"),
    (ROW, Flaw.EARLY_SNAPSHOT, "G1"),
    (ROW, Flaw.SINGLE_FLAG, "G4"),
    (ROW, Flaw.NO_WRITER_DEADLINE, "G4"),
    (ROW, Flaw.HOLD_TOO_SHORT, "G4"),
    (ROW, Flaw.FILLS_INSIDE, "G5"),
    (HERD, Flaw.PLAIN_GET_SET, "G6"),
    (FORGETFUL, Flaw.END_KEEPS_VALUES, "G1"),
    (FORGETFUL, Flaw.END_UNDER_OLD_EPOCH, "G1"),
    (FORGETFUL, Flaw.OLD_DUMP_BELIEVED, "G1"),
    (DOUBT, Flaw.END_IN_DOUBT, "G4"),
    (CRITICAL, Flaw.NO_OUTBOX, "G4"),
    (CUT_OFF, Flaw.NO_OUTBOX, "G1"),
    (BROKEN, Flaw.TOKEN_PER_QUESTION, "G1"),
    (REFRESH, Flaw.REFRESH_UNLEASED, "G1"),
    (LIST, Flaw.STAMPS_AFTER_SELECT, "G1"),
    (LIST, Flaw.NO_GENERATION_COMPARE, "G1"),
    (LIST, Flaw.NO_PENDING_WRITERS, "G4"),
    (LIST_FORGOTTEN, Flaw.COUNTED_GENERATIONS, "G1"),
    (LIST_FORGOTTEN, Flaw.END_KEEPS_GENERATIONS, "G1"),
    (NAMES, Flaw.NO_VERIFICATION, "G5"),
    (NAMES, Flaw.VERIFIED_ONCE, "G5"),
    (NAMES, Flaw.TWO_SELECTS, "G5"),
    (FLIGHT, Flaw.FREE_JOINING, "G1"),
    (FLIGHT, Flaw.JOINED_BEFORE_SELECT, "G1"),
    (FLIGHT, Flaw.JOINED_AFTER_FILL, "G1"),
    (AWAY_CALM, Flaw.NO_TICKET, "G2"),
    (AWAY, Flaw.NO_FENCE, "G2"),
    (AWAY_CALM, Flaw.NO_FLUSH, "G2"),
    (AWAY, Flaw.UNSTORED_IN_L1, "G4"),
    (OWN, Flaw.NO_OWN_DROP, "G2"),
)

# What shows only when somebody is killed: a check that found them guilty here would find anybody guilty.
INNOCENT = (
    (ROW_CALM, Flaw.SINGLE_FLAG),
    (ROW_CALM, Flaw.NO_BEGIN),
    (ROW_CALM, Flaw.HOLD_TOO_SHORT),
    (LIST_CALM, Flaw.NO_PENDING_WRITERS),
)
