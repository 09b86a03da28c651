"""What can be wrong with the protocol: one thing at a time, and each must be found guilty."""

from enum import Enum


class Flaw(Enum):
    """The protocol with one thing wrong. Each is found guilty of breaking a promise: that is what the thing is for."""

    PLAIN_GET_SET = "plain GET and SET: no lease, no mark"
    FORGET_BEFORE_COMMIT = "the key is forgotten before COMMIT only"
    NO_BEGIN = "no mark before COMMIT, only `end` after it"
    TOKEN_PER_CLIENT = "a lease's token names the client, not the fill (ABA)"  # noqa: S105 - a lease's
    TOKEN_PER_QUESTION = "a question that is sent twice bears one token"  # noqa: S105
    EARLY_SNAPSHOT = "the SELECT's snapshot is older than the lease"
    SINGLE_FLAG = "a mark is one flag: the first `end` takes it away"
    NO_WRITER_DEADLINE = "a mark has one deadline, renewed by each writer"
    HOLD_TOO_SHORT = "a mark may run out before COMMIT"
    END_KEEPS_VALUES = "`end` removes its mark only, not what stands there"
    END_UNDER_OLD_EPOCH = "`end` names the key of the epoch that `begin` saw"
    OLD_DUMP_BELIEVED = "a restarted Redis is believed what its dump says"
    END_IN_DOUBT = "`end` at once although COMMIT was not answered"
    NO_OUTBOX = "`begin` or `end` that failed leaves no outbox row"
    FILLS_INSIDE = "a transaction fills what it has read of itself"
    REFRESH_UNLEASED = "an early refresh stores without its lease"
    STAMPS_AFTER_SELECT = "a list's generations are read after its SELECT"
    NO_GENERATION_COMPARE = "a list is believed under any generation"
    NO_PENDING_WRITERS = "a generation does not know its pending writers"
    COUNTED_GENERATIONS = "generations are counted, so an evicted one comes again"
    END_KEEPS_GENERATIONS = "`end` gives a list's scopes no new generations"
    NO_VERIFICATION = "the row that an index leads to is not checked"
    VERIFIED_ONCE = "after a failed check the row is read through the cache again, unchecked"
    TWO_SELECTS = "after a failed check two SELECTs are believed to tell of one moment"
    FREE_JOINING = "who comes late takes the answer of the load under way"
    JOINED_BEFORE_SELECT = "an answer from Redis is given to all who joined before a SELECT"
    JOINED_AFTER_FILL = "a stored answer is given to who joined after the fill was sent"
    NO_TICKET = "L1 keeps a reply that a push has overtaken"
    NO_FENCE = "L1 answers although the pushes are late"
    NO_OWN_DROP = "a writer waits for the push to drop its own L1"
    NO_FLUSH = "L1 survives a new connection for pushes"
    UNSTORED_IN_L1 = "L1 keeps what was read around a mark"
