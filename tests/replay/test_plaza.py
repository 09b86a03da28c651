"""What the laboratory knows of Plaza is what Plaza is."""

import re

import handlers
from replay.plaza import Plaza
from replay.plaza_routes import ROUTES, SHAPES
from replay.records import PLACEHOLDER, Made

EXAMPLES = {
    "n": "7", "slug": "a-b", "board": "chess", "name": "0123456789abcdef" * 2 + ".jpg", "page": "3", "month": "2026-01",
    "feed": "atom", "short": "Xy1", "ticket": "7-abc", "lang": "zh", "action": "", "other": "x",
}  # fmt: skip
OF_NGINX = {"/static/<other>"}  # a route of the application beside those of handlers/
SITE = Plaza()


def handled(path: str) -> str:
    """The name of the route that Tornado would take."""
    return next((name for pattern, _, name in handlers.routes() if re.fullmatch(pattern, path)), "none")


def examples(route: str) -> list[str]:
    actions = ["publish"] if "blogs" in route else ["close"]
    words = EXAMPLES | {"action": actions[0]}
    return [re.sub("<([a-z]+)>", lambda word: words[word[1]], route)]


def test_each_route_of_the_site_has_one_name_here() -> None:
    known = {handled(path): route for route in ROUTES if route not in OF_NGINX for path in examples(route)}

    assert {name for _, _, name in handlers.routes()} == set(known)
    assert len(known) == len(ROUTES) - len(OF_NGINX)


def test_an_address_has_the_name_of_the_route_that_answers_it() -> None:
    for route in ROUTES:
        for path in examples(route):
            assert SITE.route("GET", f"{path}?a=b") == f"GET {route}"

    assert SITE.route("GET", "/wp-login.php") == "GET other"
    assert set(SHAPES) == set(EXAMPLES)


def made(method: str, target: str, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> list[Made]:
    return SITE.made(method, target, status, headers, body)


def test_the_ids_that_forms_make_stand_in_their_redirects() -> None:
    to = [("Location", "/blog/1-x?after=3#comment-55")]

    assert made("POST", "/blog/1/comments", 303, to) == [Made("comment", "{{comment:55}}", r"location:#comment-(\d+)")]
    held = made("POST", "/blog/1/comments", 303, [("location", "/comments/56/edit?done=held")])
    assert held == [Made("comment", "{{comment:56}}", r"location:/comments/(\d+)/edit")]
    assert [one.placeholder for one in made("POST", "/manage/blogs/create", 303, [("location", "/blog/9-x")])] == [
        "{{post:9}}"
    ]
    assert made("POST", "/blog/1/comments", 422, to) == []
    assert made("GET", "/blog/1/comments", 303, to) == []


def test_the_ids_that_calls_make_stand_in_their_json() -> None:
    json = [("Content-Type", "application/json; charset=UTF-8")]
    poll = b'{"id": 5, "choices": [{"id": 8, "text": "a"}, {"id": 9, "text": "b"}]}'

    assert made("POST", "/api/v1/polls", 201, json, poll) == [
        Made("poll", "{{poll:5}}", "/id"), Made("choice", "{{choice:8}}", "/choices/0/id"),
        Made("choice", "{{choice:9}}", "/choices/1/id"),
    ]  # fmt: skip
    file = made("POST", "/api/v1/files", 201, json, b'{"name": "0123456789abcdef0123456789abcdef.png"}')
    assert file == [Made("file", "{{file:0123456789abcdef0123456789abcdef_png}}", "/name")]
    assert PLACEHOLDER.fullmatch(file[0].placeholder)
    assert made("POST", "/api/v1/polls", 201, json, b"not json") == []
    assert made("POST", "/api/v1/polls", 201, json, b"[1]") == []


def test_later_requests_name_what_was_made() -> None:
    known = {
        "post:812": "{{post:812}}", "comment:55": "{{comment:55}}", "choice:8": "{{choice:8}}", "poll:5": "{{poll:5}}",
        "file:0123456789abcdef0123456789abcdef_png": "{{file:0123456789abcdef0123456789abcdef_png}}",
        "board_slug:chess": "{{board_slug:chess}}",
    }  # fmt: skip

    def target(told: str) -> str:
        return SITE.identified("GET", told, b"", known)[0]

    def body(told: bytes) -> bytes:
        return SITE.identified("POST", "/x", told, known)[1]

    assert target("/blog/812-a-post") == "/blog/{{post:812}}-a-post"
    assert target("/blog/812") == "/blog/{{post:812}}"
    assert target("/blog/8120-a") == "/blog/8120-a"
    assert target("/api/v1/me?on=%2Fblog%2F812-a") == "/api/v1/me?on=%2Fblog%2F{{post:812}}-a"
    assert target("/manage/blogs/edit?done=saved&id=812") == "/manage/blogs/edit?done=saved&id={{post:812}}"
    assert target("/comments/55/edit") == "/comments/{{comment:55}}/edit"
    assert target("/polls/5/ballot") == "/polls/{{poll:5}}/ballot"
    assert target("/boards/chess") == "/boards/{{board_slug:chess}}"
    assert target("/boards/chess-2") == "/boards/chess-2"
    assert target("/i/0123456789abcdef0123456789abcdef.png").endswith("/{{file:0123456789abcdef0123456789abcdef_png}}")
    assert body(b"body=x&parent_id=55") == b"body=x&parent_id={{comment:55}}"
    assert body(b'{"parent_id": 55}') == b'{"parent_id": {{comment:55}}}'
    assert body(b"choices=8&choices=80") == b"choices={{choice:8}}&choices=80"
    assert body(b'{"choices": [8, 80]}') == b'{"choices": [{{choice:8}}, 80]}'
    assert body(b"\xff") == b"\xff"
