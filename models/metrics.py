"""The names of all that is measured: one name for a figure in `/metrics`, StatsD, the history and the inspector.

Names, units and labels follow the rules of Prometheus. `docs/metrics.md` says what each figure means to an operator.
"""

from typing import Literal, NamedTuple

from cache.counts import BOUNDS as BOUNDS  # the classes of all histograms

# A metric's name and the values of its labels, in their order.
Series = tuple[str, ...]


class Metric(NamedTuple):
    """A `counter` only rises while its process lives. `together` is how the figures of several processes become one."""

    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ()
    together: Literal["sum", "max"] = "sum"


def _counter(about: str, *labels: str) -> Metric:
    return Metric("counter", about, labels)


def _gauge(about: str, *labels: str) -> Metric:
    return Metric("gauge", about, labels)


def _worst(about: str, *labels: str) -> Metric:
    return Metric("gauge", about, labels, "max")


METRICS = {
    "plaza_request_seconds": Metric(
        "histogram", "Time of a request inside the web process, answers kept whole included", ("route", "status")
    ),
    "plaza_event_loop_lag_seconds": _worst("How late the last timer of the event loop came"),
    "plaza_event_loop_lag_worst_seconds": _worst("The latest timer of the last minute"),
    # The cache: what answered
    "plaza_cache_hits_total": _counter("Rows, lists and whole pages answered by L1 or L2", "level", "family"),
    "plaza_cache_loads_total": _counter("Those read from MySQL, or made, for who asked", "family"),
    "plaza_cache_joined_total": _counter("Those answered by a load that another reader had begun", "family"),
    "plaza_cache_refreshes_total": _counter("Those loaded early, while their old value was still given", "family"),
    # The cache: whether it is true
    "plaza_fence_age_seconds": _worst("Age of the moment up to which L1 knows of all writes; over 0.3 L1 is shut"),
    "plaza_push_lag_seconds": _worst("From a write in Redis to its push, of the latest canary"),
    "plaza_pushes_total": _counter("Names that Redis said had changed"),
    "plaza_push_connections_total": _counter("Connections that brought pushes"),
    "plaza_push_connected": _gauge("1 while pushes come in"),
    "plaza_canary_failures_total": _counter("Canaries whose push did not come"),
    "plaza_cache_leases_total": _counter("Answers to the question who may load a name", "answer"),
    "plaza_cache_fills_total": _counter("Loaded values by what became of them; all but `stored` were refused", "outcome"),
    "plaza_cache_unstored_total": _counter("Loads past Redis by reason", "reason"),
    "plaza_cache_unconfirmed_total": _counter("Ends of writes that Redis did not confirm; the outbox has them"),
    "plaza_pages_refuted_total": _counter("Kept pages that were not right any more when they were looked at"),
    "plaza_pages_unkept_total": _counter("Pages made of something that did not come from the cache"),
    # L1's memory
    "plaza_l1_bytes": _gauge("Bytes that are kept"),
    "plaza_l1_limit_bytes": _gauge("Bytes that may be kept"),
    "plaza_l1_entries": _gauge("Rows, lists and pages that are kept"),
    "plaza_l1_kept_total": _counter("Rows and lists that were taken in"),
    "plaza_l1_evictions_total": _counter("Those that had to go because there was no room"),
    "plaza_l1_too_big_total": _counter("Those that were larger than an eighth of the room"),
    "plaza_l1_drops_total": _counter("Names dropped because they had changed"),
    "plaza_l1_flushes_total": _counter("Times that all was dropped"),
    # Redis
    "plaza_redis_up": _gauge("0 while this process does not ask Redis: its breaker is open"),
    "plaza_redis_outages_total": _counter("Times that the breaker opened"),
    "plaza_redis_epochs_total": _counter("Epochs seen; a new one begins when Redis has lost its memory"),
    "plaza_redis_refused_total": _counter("Commands that Redis refused"),
    "plaza_redis_trips_total": _counter("Ways to Redis and back"),
    "plaza_redis_names_total": _counter("Names asked for in MGETs"),
    "plaza_redis_seconds": Metric("histogram", "Time of an MGET (`get`) or a script, with its way", ("question",)),
    "plaza_redis_memory_bytes": _worst("Memory of Redis' data, as the worker reads it"),
    "plaza_redis_memory_limit_bytes": _worst("Its maxmemory; 0: none"),
    "plaza_redis_evicted_keys": _worst("Keys that Redis has evicted since its start"),
    "plaza_redis_keys": _worst("Keys of the whole database in Redis"),
    # MySQL
    "plaza_mysql_pool_size": _gauge("Connections that the process may have"),
    "plaza_mysql_pool_used": _gauge("Connections in use"),
    "plaza_mysql_pool_waiting": _gauge("Tasks that wait for one"),
    "plaza_mysql_seconds": Metric("histogram", "Time of a statement"),
    # Live results
    "plaza_live_listeners": _gauge("WebSockets of readers who watch a poll"),
    # Pages in Nginx, as the worker keeps them true
    "plaza_edge_pages": _worst("Pages in Nginx that the worker knows of"),
    "plaza_edge_due": _worst("Those that wait to be fetched anew"),
    "plaza_edge_due_seconds": _worst("For how long the one that waits longest has been wrong; 0: none is"),
    "plaza_edge_refresh_seconds": Metric("histogram", "From the end of a write to a page that shows it, in Nginx"),
    # The worker
    "plaza_outbox_rows": _worst("Writes that Redis has yet to be told of; 10000: so many or more"),
    "plaza_outbox_age_seconds": _worst("Age of the oldest of them"),
    "plaza_duty_runs_total": _counter("Runs of a duty that have ended", "duty"),
    "plaza_duty_failures_total": _counter("Those that failed", "duty"),
    "plaza_duty_seconds_total": _counter("Time of the runs", "duty"),
    "plaza_duty_last_end_timestamp_seconds": _worst("When a duty last ended", "duty"),
    "plaza_events_total": _counter("What parts of the site count", "part", "event"),
    # The process
    "plaza_process_cpu_seconds_total": _counter("Time of a processor, user and system"),
    "plaza_process_resident_memory_bytes": _gauge("Memory in use"),
    "plaza_process_open_files": _gauge("Files and sockets that are open"),
    "plaza_process_start_timestamp_seconds": _worst("When the process began to count"),
    "plaza_build_info": _worst("1; what runs here", "version", "python"),
}  # fmt: skip
