"""What members do on a day: they sign in, write, change what they wrote, vote, upload, use a token, get things wrong, leave."""

from collections.abc import Callable

from tests.harness.browser import Browser
from tests.harness.files import PNG, form
from tests.harness.people import PASSWORD, email_of

FORM = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
NEW_PASSWORD = "a lighthouse in the fog"


async def a_day(browse: Callable[[str], Browser], post_path: str) -> int:
    """`browse` makes a visitor of a program of this name; `post_path` is the address of a post. How many requests that were."""
    alice, bob, carol, visitor = (browse(name) for name in ("alice", "bob", "carol", "visitor"))
    post = post_path.removeprefix("/blog/").partition("-")[0]
    asked = 0

    for path in ("/", post_path, "/about", "/archive", "/feed.atom", "/nowhere", "/search?q=lunch"):
        await visitor.get(path)
        asked += 1
    await visitor.request("HEAD", post_path)
    await alice.post("/signin", {"email": email_of("alice"), "password": "not this one"}, headers=FORM)
    await alice.post("/signin", {"email": email_of("alice"), "password": PASSWORD}, headers=FORM)
    poll = await alice.post_json(
        "/api/v1/polls", {"question": "Lunch?", "choices": ["Sea", "Park"], "results": "always"}
    )
    made = poll.json()
    await alice.get(f"/polls/{made['id']}")
    token = (await alice.post_json("/api/v1/me/tokens", {"name": "script", "scopes": ["read", "write"]})).json()[
        "token"
    ]
    script = browse("script")
    script.headers["Authorization"] = f"Bearer {token}"
    await script.get("/api/v1/files?mine=true")
    asked += 7

    await bob.post("/signin", {"email": email_of("bob").upper(), "password": PASSWORD}, headers=FORM)
    await bob.get("/account")
    await bob.get(f"/api/v1/me?on={post_path}")
    said = await bob.post(
        f"/blog/{post}/comments", {"body": f"Write to {email_of('alice')}. {{{{post:1}}}}"}, headers=FORM
    )
    comment = said.location.partition("#comment-")[2]
    await bob.get(said.location.partition("#")[0])
    await bob.post(f"/comments/{comment}/edit", {"body": "Never mind."}, headers=FORM)
    await bob.get(f"/comments/{comment}")
    await bob.post(f"/polls/{made['id']}/ballot", {"choices": str(made["choices"][1]["id"])}, headers=FORM)
    body, headers = form("sea.png", PNG)
    sent = await bob.request("POST", "/files", body=body, headers={**headers, **FORM})
    await bob.get(sent.location)
    await bob.get(sent.location.replace("/p/", "/i/"))
    await bob.post("/account/password", {"current": PASSWORD, "new": NEW_PASSWORD}, headers=FORM)
    await bob.post("/signout", headers=FORM)
    await bob.get("/account")
    await bob.post("/signin", {"email": email_of("bob"), "password": NEW_PASSWORD}, headers=FORM)
    asked += 15

    registration = {"name": "Carol", "email": email_of("carol"), "password": "carol has a long one"}
    await carol.post("/register", registration)
    await carol.post(f"/blog/{post}/comments", {"body": "Hello!", "parent_id": comment}, headers=FORM)
    await carol.get("/account")
    return asked + 3
