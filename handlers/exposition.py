"""The figures of processes in the words of Prometheus: text, or OpenMetrics for who asks for it."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from models.metrics import BOUNDS, METRICS, Series
from models.snapshots import Snapshot

_KINDS = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
_ENDS = [*map(floatToGoString, BOUNDS), "+Inf"]


def exposed(snapshots: Sequence[Snapshot], accepted: str) -> tuple[bytes, str]:
    """The answer and its content type; `accepted`: the header Accept, or "". With many routes it takes 50 ms: it is for threads.

    Each figure has a label `process`: what begins anew in one is no fall of another, and nothing is added up here.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(snapshots))
    encode, content_type = choose_encoder(accepted)
    return encode(registry), content_type


class _Told(Collector):
    """What the processes have told, metric by metric."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._families: dict[str, Any] = {}
        for one in snapshots:
            for series, value in (one.counters | one.gauges).items():
                self._add(one.process, series, value)
            for series, (classes, total) in one.times.items():
                self._add(one.process, series, list(zip(_ENDS, accumulate(classes), strict=True)), total)

    def _add(self, process: str, series: Series, *figures: Any) -> None:
        name, *values = series
        metric = METRICS.get(name)
        if metric is None or len(values) != len(metric.labels):
            return  # that process runs another version of ours
        family = self._families.get(name)
        if family is None:
            family = _KINDS[metric.kind](name, metric.about, labels=[*metric.labels, "process"])
            self._families[name] = family
        family.add_metric([*values, process], *figures)

    def collect(self) -> Iterable[Family]:
        return self._families.values()
