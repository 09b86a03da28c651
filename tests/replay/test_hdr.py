"""Our quantiles are those of the HdrHistogram library, and its readers read what we write."""

import random
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from replay import hdr
from replay.histogram import QUANTILES, SHARP, Histogram
from replay.results import Run

DIGITS = 3


def random_times(seed: int, count: int = 20_000) -> list[int]:
    """Long-tailed, as answers are, over five orders of magnitude."""
    dice = random.Random(seed)
    return [round(dice.lognormvariate(7, 2)) for _ in range(count)]


def noted(times: list[int]) -> Histogram:
    made = Histogram()
    for us in times:
        made.add(us)
    return made


def a_run(**histograms: Histogram) -> Run:
    none = Histogram().summary()
    return Run(
        "pass", [], {}, "2026-11-29T12:00:00+00:00", 12.5, 0, 0, 0, 0, {}, {}, none, none, none, none, none,
        histograms={name: one.as_json() for name, one in histograms.items()},
    )  # fmt: skip


def test_quantiles_are_the_librarys_within_a_bucket() -> None:
    for seed in range(5):
        times = random_times(seed)
        ours, theirs = noted(times), HdrHistogram(1, max(times) * 2, DIGITS)
        for us in times:
            theirs.record_value(us)

        for share in QUANTILES.values():
            expected = theirs.get_value_at_percentile(share * 100)
            # Half a bucket of ours, and what the library rounds.
            assert abs(ours.value_at(share) - expected) <= expected * (0.5 / (1 << SHARP) + 10**-DIGITS) + 1


def test_the_log_of_a_run_is_read_by_the_library(tmp_path: Path) -> None:
    times, path = random_times(7), tmp_path / "run.hlog"
    response, lag = noted(times), noted([3, 40, 500])

    hdr.write(a_run(response=response, lag=lag, connect=Histogram()), path)

    reader = HistogramLogReader(str(path), HdrHistogram(1, 3_600_000_000_000, DIGITS))
    read = [reader.get_next_interval_histogram() for _ in range(3)]
    assert [one.get_tag() for one in read] == ["response", "lag", "connect"]
    assert [one.get_total_count() for one in read] == [len(times), 3, 0]
    assert read[0].get_end_time_stamp() - read[0].get_start_time_stamp() == 12_500
    for share in QUANTILES.values():
        expected = response.value_at(share) * 1000  # ns
        assert abs(read[0].get_value_at_percentile(share * 100) - expected) <= expected * 0.002
    assert reader.get_next_interval_histogram() is None
    reader.close()
