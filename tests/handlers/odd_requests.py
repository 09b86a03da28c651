"""Requests that two readers could understand in two ways, and what is to become of each; a site of `localhost` is asked."""

from dataclasses import dataclass

HOST = b"Host: localhost\r\n"
LAST = b"Connection: close\r\n"
FIRST, SMUGGLED = (
    b"/first-NNNN",
    b"/smuggled-NNNN",
)  # a number takes the place of NNNN, so that logs can tell them apart
SECOND = b"GET %s HTTP/1.1\r\n%s%s\r\n" % (SMUGGLED, HOST, LAST)
LENGTH = b"Content-Length: %d" % len(SECOND)
CHUNKS = b"0\r\n\r\n" + SECOND
ALL_CHUNKS = b"Content-Length: %d" % len(CHUNKS)
MEGABYTE = 1 << 20
REFUSED = 400


@dataclass(frozen=True, slots=True)
class Odd:
    """`nginx`, `straight`: the statuses of the answers there; `()` is hanging up without one, or before it could be read. What
    has another status than 400 or 414 has reached the application, and nothing else has. `unended`: a web process waits for more.
    """

    data: bytes
    nginx: tuple[int, ...] = (REFUSED,)
    straight: tuple[int, ...] = (REFUSED,)
    unended: bool = False


def post(*lines: bytes, body: bytes = b"", last: bool = False) -> bytes:
    """A POST to /first with these header lines; `last`: the connection ends after it."""
    ours = HOST + (LAST if last else b"")
    return b"POST %s HTTP/1.1\r\n%s%s\r\n%s" % (FIRST, ours, b"".join(line + b"\r\n" for line in lines), body)


def get(*lines: bytes, target: bytes = FIRST, version: bytes = b"HTTP/1.1", method: bytes = b"GET") -> bytes:
    """A GET without a Host of its own; the connection ends after it."""
    return b"%s %s %s\r\n%s\r\n" % (method, target, version, b"".join(line + b"\r\n" for line in (*lines, LAST[:-2])))


def chunked(body: bytes, *, last: bool = False) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body, last=last)


LENGTHS = {
    "both lengths": Odd(post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=CHUNKS)),
    "both lengths, chunks first": Odd(post(b"Transfer-Encoding: chunked", ALL_CHUNKS, body=CHUNKS)),
    "two lengths": Odd(post(b"Content-Length: 0", LENGTH, body=SECOND)),
    "the same length twice": Odd(post(LENGTH, LENGTH, body=SECOND, last=True), straight=(404,)),
    "a list of lengths": Odd(post(b"Content-Length: 0, %d" % len(SECOND), body=SECOND)),
    "a negative length": Odd(post(b"Content-Length: -1", body=SECOND)),
    "a length with a sign": Odd(post(b"Content-Length: +%d" % len(SECOND), body=SECOND)),
    "a length in hex": Odd(post(b"Content-Length: 0x10", body=SECOND)),
    "a length with a point": Odd(post(b"Content-Length: 1.0", body=SECOND)),
    "a length as Python writes it": Odd(post(b"Content-Length: 4_1", body=SECOND)),
    "a length of 400 digits": Odd(post(b"Content-Length: " + b"9" * 400, body=SECOND)),
    "a length of nothing": Odd(post(b"Content-Length:", body=SECOND)),
    "a length of two numbers": Odd(post(b"Content-Length: 4 1", body=SECOND)),
    "a length in Arabic digits": Odd(post("Content-Length: ٤".encode(), body=SECOND)),
    "a length without a colon": Odd(post(b"Content-Length 0", LENGTH, body=SECOND)),
    "a length with an underscore": Odd(post(b"Content_Length: 0", LENGTH, body=SECOND, last=True), (404,), (404,)),
    "a body of GET that is a request": Odd(get(HOST[:-2], LENGTH) + SECOND, (404,), (404,)),
}
CODINGS = {
    "an unknown coding": Odd(post(b"Transfer-Encoding: xchunked", body=CHUNKS)),
    "chunked twice": Odd(post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS)),
    "chunked on two lines": Odd(post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKS)),
    "chunked, then identity": Odd(post(b"Transfer-Encoding: chunked, identity", body=CHUNKS)),
    "identity, then chunked": Odd(post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=CHUNKS)),
    "gzip, then chunked": Odd(post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    "a space before the colon": Odd(post(b"Transfer-Encoding : chunked", ALL_CHUNKS, body=CHUNKS)),
    "a tab before the colon": Odd(post(b"Transfer-Encoding\t: chunked", ALL_CHUNKS, body=CHUNKS)),
    "a tab after the colon": Odd(post(b"Transfer-Encoding:\tchunked", ALL_CHUNKS, body=CHUNKS)),
    "a vertical tab at the end": Odd(post(b"Transfer-Encoding: chunked\x0b", ALL_CHUNKS, body=CHUNKS)),
    "folded": Odd(post(b"Transfer-Encoding:", b" chunked", ALL_CHUNKS, body=CHUNKS)),
    "folded behind another header": Odd(post(b"X: y", b" Transfer-Encoding: chunked", ALL_CHUNKS, body=CHUNKS)),
    "folded behind the first line": Odd(b"POST %s HTTP/1.1\r\n Content-Length: 4\r\n%s\r\n" % (FIRST, HOST) + SECOND),
    "chunks in HTTP/1.0": Odd(
        b"POST %s HTTP/1.0\r\n%sTransfer-Encoding: chunked\r\n%s\r\n\r\n" % (FIRST, HOST, ALL_CHUNKS) + CHUNKS
    ),
}
CHUNKED = {
    # What comes behind `;` says nothing; Tornado wants none of it.
    "an extension": Odd(chunked(b"5;a=b\r\nhello\r\n0\r\n\r\n", last=True), (404,)),
    "an extension that hides a line end": Odd(chunked(b"5;a=b\n\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "an extension of 100 kB": Odd(chunked(b"5;%s\r\nhello\r\n0\r\n\r\n" % (b"a" * 100_000), last=True), (404,), ()),
    "a negative chunk": Odd(chunked(b"-5\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "a chunk with 0x": Odd(chunked(b"0x5\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "a chunk as Python writes it": Odd(chunked(b"0_5\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "a chunk beyond 64 bits": Odd(chunked(b"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "a space before a chunk": Odd(chunked(b" 5\r\nhello\r\n0\r\n\r\n" + SECOND)),
    "a chunk that is longer than it says": Odd(chunked(b"5\r\nhelloXX0\r\n\r\n" + SECOND)),
    # Nginx ends lines of chunks at a bare LF too, and sees one body and one request behind it; to Tornado that never comes.
    "chunks that end in LF": Odd(chunked(b"5\nhello\n0\n\n" + SECOND), (404, 404)),
    "lengths behind the last chunk": Odd(chunked(b"0\r\nContent-Length: 3\r\n\r\n" + SECOND), (404, 404)),
}
LINES = {
    "one behind the other": Odd(get(HOST[:-2]).replace(LAST, b"") + SECOND, (404, 404), (404, 404)),
    "bare LF": Odd(get(HOST[:-2]).replace(b"\r", b""), (404,), (404,)),
    "bare CR in a value": Odd(post(b"X: a\rTransfer-Encoding: chunked", ALL_CHUNKS, body=CHUNKS)),
    "bare CR for all lines": Odd(get(HOST[:-2]).replace(b"\n", b""), straight=(), unended=True),
    "NUL in a value": Odd(post(b"X: a\0b", b"Content-Length: 0")),
    "NUL in a name": Odd(post(b"Content-Length\0: 3", b"Content-Length: 0")),
    "a space in the address": Odd(get(HOST[:-2], target=FIRST + b" " + SMUGGLED)),
    "a tab for a space": Odd(get(HOST[:-2]).replace(b" ", b"\t", 2)),
    "HTTP/2 in an old line": Odd(get(HOST[:-2], version=b"HTTP/2.0")),
    "HTTP/2 from its first byte": Odd(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": Odd(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 600, straight=(), unended=True),
    "an upgrade to HTTP/2": Odd(
        get(HOST[:-2], b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__").replace(b"n: close", b"n: Upgrade") + SECOND,
        (404, 404), (404, 404),
    ),
    "a method in lower case": Odd(get(HOST[:-2], method=b"get"), straight=(405,)),
    "a method that nobody knows": Odd(get(HOST[:-2], method=b"BREW"), (405,), (405,)),
}  # fmt: skip
HOSTS = {
    "no host": Odd(get()),
    "no host in HTTP/1.0": Odd(get(version=b"HTTP/1.0"), (421,), (404,)),
    "an empty host": Odd(get(b"Host:"), straight=(421,)),
    "two hosts": Odd(get(HOST[:-2], b"Host: evil.example")),
    "the same host twice": Odd(get(HOST[:-2], HOST[:-2])),
    "a folded host": Odd(get(b"Host:", b" evil.example")),
    "a stranger": Odd(get(b"Host: evil.example"), (421,), (421,)),
    "any port": Odd(get(b"Host: localhost:99999"), (404,), (404,)),
    "a port of letters": Odd(get(b"Host: localhost:evil"), (421,), (421,)),
    "two ports": Odd(get(b"Host: localhost:1:2"), (421,), (421,)),
    "a user before the host": Odd(get(b"Host: localhost@evil.example"), (421,)),
    "a stranger before the host": Odd(get(b"Host: evil.example@localhost"), (421,)),
    "a list": Odd(get(b"Host: localhost, evil.example")),
    "a path": Odd(get(b"Host: localhost/evil")),
    "NUL in the host": Odd(get(b"Host: localhost\0.evil")),
    "a dot at the end": Odd(get(b"Host: localhost."), (421,), (421,)),
    "the whole address": Odd(get(HOST[:-2], target=b"http://localhost" + FIRST), (404,), (404,)),
    # Tornado takes the whole address for a path, and there is no such page.
    "a stranger's whole address": Odd(get(HOST[:-2], target=b"http://evil.example" + FIRST), (421,), (404,)),
    "our address to a stranger": Odd(get(b"Host: evil.example", target=b"http://localhost" + FIRST), (421,), (421,)),
    "a user in the whole address": Odd(
        get(HOST[:-2], target=b"http://localhost@evil.example" + FIRST), straight=(404,)
    ),
}
LARGE = {
    "a line of 1 MB": Odd(get(HOST[:-2], b"X: " + b"x" * MEGABYTE), straight=()),
    "1 MB of lines": Odd(get(HOST[:-2], *(b"X-%d: %s" % (n, b"x" * 20) for n in range(36_000))), straight=()),
    "1 MB of empty lines": Odd(b"\r\n" * (MEGABYTE // 2) + get(HOST[:-2]), (404,), ()),
    "an address of 1 MB": Odd(get(HOST[:-2], target=b"/" + b"x" * MEGABYTE), (414,), ()),
    "cookies of 1 MB": Odd(get(HOST[:-2], b"Cookie: " + b"a=b; " * 200_000), straight=()),
    "1 MB without a line": Odd(b"x" * MEGABYTE, straight=()),
    "accepted languages of 8 kB": Odd(get(HOST[:-2], b"Accept-Language: " + b"zh,en;q=0.1," * 670), (404,), (404,)),
    "accepted codings of 8 kB": Odd(get(HOST[:-2], b"Accept-Encoding: " + b"gzip;q=0.1," * 720), (404,), (404,)),
}
REQUESTS = {**LENGTHS, **CODINGS, **CHUNKED, **LINES, **HOSTS, **LARGE}
