"""Numbers as the report writes them: few digits, units, and decimal points that stand below each other."""

import math

NONE = "n/a"  # too few samples to say
_FIGURE, _POINT = "\u2007", "\u2008"  # spaces as wide as a digit and as a point


def count(value: float) -> str:
    """A whole number with its thousands set apart."""
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """A number in a second."""
    return count(value) if value >= 100 or value == int(value) else f"{value:.1f}"


def digits(value: float) -> int:
    """How many stand behind the point: three digits are what a bucket of a histogram knows."""
    return 0 if value >= 100 else 1 if value >= 10 else 2


def ms(value: float | None) -> str:
    """Milliseconds in a column of a table: blanks stand for the digits that are left out."""
    if value is None:
        return NONE
    shown = digits(value)
    return f"{value:,.{shown}f}" + {0: _POINT + _FIGURE * 2, 1: _FIGURE, 2: ""}[shown]


def time(value: float | None) -> str:
    """Milliseconds in a sentence, with their unit; from a second on in seconds."""
    if value is None:
        return NONE
    if value >= 60_000:
        return lasted(value / 1000)
    number, unit = (value / 1000, "s") if value >= 1000 else (value, "ms")
    text = f"{number:.{digits(number)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def share(part: float, whole: float = 1) -> str:
    """A share in per cent. What is not nothing never reads as 0 %, what is not all never as 100 %."""
    if not whole:
        return NONE
    value = 100 * part / whole
    if 0 < value < 0.01:
        return "< 0.01 %"
    if 99.99 < value < 100:
        return "> 99.99 %"
    shown = 0 if value in (0, 100) else 2 if value < 1 or value > 99 else 1
    return f"{value:.{shown}f} %"


def lasted(seconds: float) -> str:
    """How long something took, for people."""
    if seconds < 60:
        return f"{seconds:.{0 if seconds >= 10 or seconds == int(seconds) else 1}f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def clock(seconds: float) -> str:
    """A moment of the run: m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(math.floor(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def times(ratio: float) -> str:
    """How B stands to A, as a change in per cent."""
    return f"{100 * (ratio - 1):+.{1 if abs(ratio - 1) < 1 else 0}f} %".replace("-", "−")


def plural(number: float, one: str, many: str = "") -> str:
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
