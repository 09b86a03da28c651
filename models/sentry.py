"""Errors to Sentry, when `sentry_dsn` is set: what went wrong and where, never who, nor what was sent."""

import logging
from typing import Any, cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint

from models.redaction import scrub
from models.traces import TRACE
from settings import Settings

LAST_CALL = 2.0  # s at the end of a process for what has not been sent


def start(settings: Settings, process: str) -> None:
    """From now on each log record of level ERROR goes there, from a thread of its own; nothing waits for it.

    Sentry's own integrations stay off: they would read cookies, bodies and the local variables of functions.
    """
    if not settings.sentry_dsn:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment="production" if settings.production else "development",
        server_name=process,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        shutdown_timeout=LAST_CALL,
        before_send=_prepared,
        # The same whatever else is installed: it would take brotli where that happens to be there.
        _experiments=cast(Any, {"transport_compression_algo": "gzip"}),
    )


def _prepared(event: Event, hint: Hint) -> Event | None:
    """The event with its request named, and without what the logs may not hold either."""
    trace = TRACE.get()
    if trace is not None:
        tags = cast(dict[str, str], event.setdefault("tags", {}))
        tags |= {"request": trace.id, "route": trace.route}
        if trace.user_id is not None:
            event["user"] = {"id": str(trace.user_id)}
    return cast(Event, _scrubbed(event))


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return scrub(value)
        case dict():
            return {key: _scrubbed(item) for key, item in value.items()}
        case list() | tuple():
            return [_scrubbed(item) for item in value]
    return value
