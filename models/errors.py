"""What a model can refuse. Only `handlers/statuses.py` knows which HTTP status each becomes.

ModelError
├── NotFound     there is no such row, or none that may be seen
├── Forbidden    the row is there; this user may not do that to it
├── Invalid      a value is wrong; names the fields
│   ├── Taken    a value that must be unique is somebody else's
│   ├── TooLarge what was sent has more bytes than it may
│   │   └── QuotaFull  it has more than its owner has left
│   └── NoPicture what was sent is no picture, or none that can be worked on
├── Stale        the row has changed since the caller read it
├── Closed       the row is there, and takes nothing any more
└── Busy         MySQL is away, too slow, or refused; asking again later is right
    └── Deadlock the transaction was rolled back to free another; it can begin again at once
"""


class ModelError(Exception):
    """The root of all that follows."""


class NotFound(ModelError):
    """There is no such row, or none that the asker may see."""


class Forbidden(ModelError):
    """The row is there, and this user may not do that to it."""


class Invalid(ModelError):
    """`fields` maps a field's name to an English message (a gettext id) that says what is wrong and what is allowed."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields.items()))
        self.fields = fields


class Taken(Invalid):
    """A value that must be unique belongs to another row."""


class TooLarge(Invalid):
    """What was sent has more bytes than it may; `most` is how many it may have."""

    def __init__(self, fields: dict[str, str], most: int) -> None:
        super().__init__(fields)
        self.most = most


class QuotaFull(TooLarge):
    """It has more bytes than its owner has left."""


class NoPicture(Invalid):
    """What was sent is no picture, or one that is broken, or too much work."""


class Stale(ModelError):
    """The row has changed since the caller read it; `version` is the one it has now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"changed meanwhile, now at version {version}")
        self.version = version


class Closed(ModelError):
    """The row is there, and takes nothing any more. Its text is an English sentence for the reader (a gettext id)."""


class Busy(ModelError):
    """MySQL is away, too slow, or a lock could not be had. `retry_after` in seconds."""

    def __init__(self, reason: str, *, retry_after: int = 2) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Deadlock(Busy):
    """MySQL has rolled the transaction back so that another could go on; `base.retried` begins it again."""
