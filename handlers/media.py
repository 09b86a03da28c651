"""Media types: which of them a request accepts, and in which one its body is."""

from functools import lru_cache

from tornado.httputil import HTTPServerRequest

JSON, PROBLEM, FORM, MULTIPART = (
    "application/json", "application/problem+json", "application/x-www-form-urlencoded", "multipart/form-data",
)  # fmt: skip
# The ranges that JSON is in, the narrowest first: that one decides (RFC 9110, section 12.5.1).
_RANGES = (JSON, "application/*", "*/*")


@lru_cache(256)
def accepts_json(accept: str) -> bool:
    """Whether who sent this header Accept, or none (""), takes JSON."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        told = [one.partition("=")[2].strip() for one in parameters if one.partition("=")[0].strip() == "q"]
        if name:
            weights[name] = _weight(told[0]) if told else 1.0
    return not weights or next((weights[name] for name in _RANGES if name in weights), 0.0) > 0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def body_type(request: HTTPServerRequest) -> str:
    """The media type that the body is said to have, without parameters; "" when nothing is said."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
