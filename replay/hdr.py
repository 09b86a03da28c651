"""The histograms of a run as an HdrHistogram log, version 1.2, which other tools read: one tagged line for each."""

from datetime import datetime
from pathlib import Path

from hdrh.histogram import HdrHistogram

from replay.histogram import Histogram, edges, of_json
from replay.results import Run

DIGITS = 3  # significant ones, more than a bucket of ours keeps
_LEAST = 2_000_000  # ns; the library wants some room
_UNIT = 1e6  # what the log's readers divide by to get milliseconds, unless they are told another


def hdr_of(histogram: Histogram) -> HdrHistogram:
    """In nanoseconds, as readers of the format expect: each count at the middle of its bucket."""
    made = HdrHistogram(1, max(histogram.max * 1000 * 2, _LEAST), DIGITS)
    for bucket, count in histogram.counts.items():
        low, high = edges(bucket)
        made.record_value(round(min((low + high - 1) / 2, histogram.max) * 1000), count)
    return made


def write(run: Run, path: Path) -> None:
    """Raises OSError."""
    began = datetime.fromisoformat(run.started).timestamp()
    lines = [
        "#[plaza replay: values are nanoseconds]",
        "#[Histogram log format version 1.2]",
        f"#[StartTime: {began:.3f} (seconds since epoch), {run.started}]",
        f"#[BaseTime: {began:.3f} (seconds since epoch)]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for name, told in run.histograms.items():
        made = hdr_of(of_json(told))
        payload = made.encode().decode()
        lines.append(f"Tag={name},0.000,{run.seconds:.3f},{made.get_max_value() / _UNIT:.3f},{payload}")
    path.write_text("\n".join(lines) + "\n")
