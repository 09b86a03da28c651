"""What answers tell is put into later requests, and what is not known is not sent."""

import json

import pytest

from replay.paces import parse
from tests.replay.going import outcomes, ran
from tests.replay.recordings import planned, request
from tests.replay.serving import OK, Asked, serving


async def test_ids_that_answers_tell_are_put_into_later_requests_of_all_sessions() -> None:
    made = (("{{post:1}}", "/post/id"), ("{{slug:1}}", "location:^/posts/(.+)$"), ("{{cookie:1}}", "cookie:plaza"))
    form = (("content-type", "application/x-www-form-urlencoded"), ("cookie", "lang=zh; plaza={{cookie:1}}"))
    recorded = [
        request(0, 0, "/api/posts", method="POST", made=made, body=b'{"x": 1}', took=1),
        request(1, 5, "/p/{{post:1}}?s={{slug:1}}", session="bob", method="POST", headers=form,
                body=b"s={{slug:1}}&n={{post:1}}"),
        request(2, 6, "/j", session="carol", method="PUT", headers=(("content-type", "application/json"), ("x-id", "{{post:1}}")),
                body=b'{"s": "{{slug:1}}"}'),
    ]  # fmt: skip
    body = json.dumps({"post": {"id": 915}}).encode()
    told = (
        b'HTTP/1.1 201 Created\r\nLocation: /posts/a"b+c\r\nSet-Cookie: plaza=fresh; Path=/; HttpOnly\r\n'
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    async with serving(lambda asked: [0.2, told] if asked.target == "/api/posts" else OK) as served:
        measure = await ran(planned(*recorded, writes=True), served)

        bob, carol = sorted(served.asked[1:], key=lambda asked: -len(asked.target))
    assert bob.target == "/p/915?s=a%22b%2Bc"
    assert bob.body == b"s=a%22b%2Bc&n=915"
    assert bob.headers["cookie"] == "lang=zh; plaza=fresh"
    assert (carol.body, carol.headers["x-id"]) == (b'{"s": "a\\"b+c"}', "915")
    assert outcomes(measure) == {"201": 1, "200": 2}
    assert measure.changed == {"200 > 201": 1}


async def test_what_needs_an_unknown_id_is_unmapped_and_so_is_what_needs_that() -> None:
    first, second = (("{{post:1}}", "/id"),), (("{{comment:1}}", "/id"),)
    recorded = [
        request(0, 0, "/posts", method="POST", made=first), request(1, 10, "/posts/{{post:1}}", method="POST", made=second),
        request(2, 20, "/comments/{{comment:1}}", session="bob"), request(3, 30, "/nobody/{{email:9}}", after=1),
        request(4, 40, "/there"), request(5, 50, "/known/{{email:8}}"),
    ]  # fmt: skip
    async with serving() as served:  # whose answers are no JSON
        measure = await ran(planned(*recorded, writes=True), served, values={"{{email:8}}": "a@b.example"})

        assert served.targets == ["/posts", "/there", "/known/a%40b.example"]
    assert outcomes(measure) == {"200": 3, "unmapped": 3}


async def test_writes_that_are_not_allowed_are_told_and_what_needs_them_is_unmapped() -> None:
    recorded = [
        request(0, 0, "/posts", method="POST", made=(("{{post:1}}", "/id"),)), request(1, 10, "/posts/{{post:1}}"),
        request(2, 20, "/", after=0),
    ]  # fmt: skip
    async with serving() as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/"]
    assert outcomes(measure) == {"not sent": 1, "unmapped": 1, "200": 1}


async def test_cookies_are_kept_as_a_browser_keeps_them() -> None:
    cookies = (("cookie", "plaza={{cookie:1}}; lang=zh; gone=1"),)
    recorded = [request(i, i, f"/{i}", after=i - 1 if i else None, headers=cookies) for i in range(3)]
    recorded.append(request(3, 3, "/bob", session="bob", headers=cookies))

    def answer(asked: Asked) -> bytes:
        return OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: plaza=new; Max-Age=9\r\nset-cookie: gone=; max-age=0\r\n\r\n")

    async with serving(answer) as served:
        await ran(planned(*recorded), served, values={"{{cookie:1}}": "old"})

        sent = {asked.target: asked.headers["cookie"] for asked in served.asked}
    assert sent == {
        "/0": "plaza=old; lang=zh; gone=1", "/1": "plaza=new; lang=zh", "/2": "plaza=new; lang=zh",
        "/bob": "plaza=old; lang=zh; gone=1",
    }  # fmt: skip


async def test_a_log_does_not_know_cookies_so_what_the_site_set_is_sent_back() -> None:
    agent = (("user-agent", "x"),)
    recorded = [request(0, 0, "/0", headers=agent), request(1, 1, "/1", after=0, headers=agent)]
    async with serving(lambda asked: OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")) as served:
        await ran(planned(*recorded), served)

        assert [asked.headers.get("cookie") for asked in served.asked] == [None, "a=1"]


async def test_a_request_names_the_target_and_the_run_and_nothing_of_the_old_connection() -> None:
    told = (
        ("host", "old.example"), ("connection", "close"), ("content-length", "99"), ("origin", "http://old.example"),
        ("referer", "http://old.example/a"), ("user-agent", "Ünï"), ("x-replay-run", "forged"), ("accept-encoding", "br, gzip"),
    )  # fmt: skip
    async with serving() as served:
        await ran(planned(request(0, 0, "/a b", method="DELETE", headers=told), writes=True), served)

        asked = served.asked[0]
    assert asked.line == "DELETE /a%20b HTTP/1.1"
    assert asked.headers == {
        "host": served.url.removeprefix("http://"), "origin": served.url, "referer": f"{served.url}/a", "x-replay-run": "run-1",
        "user-agent": "Ünï".encode().decode("latin-1"), "accept-encoding": "br, gzip",
    }  # fmt: skip


async def test_where_requests_arrive_the_wait_for_an_id_is_part_of_the_response() -> None:
    """A visitor was there from the moment on, and no lag of the generator is told for it."""
    recorded = [request(0, 0, "/a", made=(("{{post:1}}", "/id"),)), request(1, 100, "/{{post:1}}", session="b")]
    recorded.append(request(2, 200, "/c", session="b"))
    told = OK.replace(b"2\r\n\r\nok", b'8\r\n\r\n{"id":1}')
    async with serving(lambda asked: [1.0, told] if asked.target == "/a" else OK) as served:
        measure = await ran(planned(*recorded, pace=parse("absolute")), served)

    assert outcomes(measure) == {"200": 3}
    assert measure.seconds[0].due == 3
    assert min(measure.routes["GET /<n>"].response.max, measure.routes["GET /c"].response.max) >= 700_000
    assert measure.seconds[0].lag.max < 700_000


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "\ud800"])
async def test_a_value_that_no_header_can_hold_is_unmapped(value: str) -> None:
    headers = (("x-a", "{{name:1}}"),)
    async with serving() as served:
        measure = await ran(
            planned(request(0, 0, headers=headers), request(1, 1)), served, values={"{{name:1}}": value}
        )

        assert len(served.asked) == 1
    assert outcomes(measure) == {"200": 1, "unmapped": 1}


@pytest.mark.parametrize("pointer", ["location:(", "location:.*", "/a/0"])
async def test_a_pointer_that_finds_nothing_is_no_error(pointer: str) -> None:
    deep = b"[" * 100_000
    answer = b"HTTP/1.1 200 OK\r\nLocation: /x\r\nContent-Length: %d\r\n\r\n%b" % (len(deep), deep)
    async with serving(lambda asked: answer) as served:
        measure = await ran(
            planned(request(0, 0, made=(("{{post:1}}", pointer),)), request(1, 1, "/{{post:1}}")), served
        )

    assert outcomes(measure) == {"200": 1, "unmapped": 1}
