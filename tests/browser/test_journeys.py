"""What people come for, from the first click to the last, in a browser with scripts and in one without."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Dialog, Page, expect

from models.links import ADMIN
from models.passwords import hash_password
from tests.browser.conftest import Visit
from tests.browser.town import Town
from tests.harness.people import PASSWORD

_numbers = count(1)


@pytest.fixture
def newcomer(town: Town, visit: Visit, script: bool) -> Callable[[str], Page]:
    """`newcomer(role)` is a signed-in page of somebody whom no other test knows; "" is a stranger's page."""

    def come(role: str = "") -> Page:
        page = visit(java_script_enabled=script)
        page.on("dialog", Dialog.accept)
        if role:
            name = f"{role.title()} {next(_numbers)}"
            town.users[name] = town.do(lambda models: models.users.register(name, email_of(name), hashed, role=role))
            sign_in(page, name)
        return page

    hashed = _hashed.setdefault("password", "") or town.do(lambda _: hash_password(PASSWORD))
    _hashed["password"] = hashed
    return come


_hashed: dict[str, str] = {}


def email_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@example.org"


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/signin")
    page.get_by_label("E-mail").fill(email_of(name))
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def greeted(page: Page, name: str) -> None:
    """The site knows who is there."""
    page.goto("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_stranger_becomes_a_member_leaves_and_comes_back(newcomer: Callable[..., Page]) -> None:
    page, name = newcomer(), f"New Comer {next(_numbers)}"

    page.goto("/")
    page.get_by_role("link", name="Register").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email_of(name))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    greeted(page, name)

    page.get_by_role("navigation", name="You").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/")
    page.goto("/account")
    expect(page).to_have_url(re.compile(r"/signin\?next=/account$"))

    page.get_by_label("E-mail").fill(email_of(name))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_an_editor_sees_each_change_of_a_post_at_once(newcomer: Callable[..., Page]) -> None:
    page, reader = newcomer("editor"), newcomer()
    title, tag = f"Lamps of the plaza {next(_numbers)}", f"lamps-{next(_numbers)}"

    page.goto("/manage/")
    page.get_by_role("link", name="Write a post").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill("They are lit at **six**.")
    page.get_by_label("Tags").fill(f"{tag} calm")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("status").first).to_have_text("Saved.")
    reader.goto("/")
    expect(reader.get_by_role("link", name=title)).to_have_count(0)

    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("article strong")).to_have_text("six")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_have_text("1 post is published.")
    reader.goto("/archive")
    reader.locator(".months").first.get_by_role("link").last.click()
    expect(reader.get_by_role("link", name=title)).to_be_visible()
    for path in (f"/tag/{tag}", "/"):
        reader.goto(path)
        expect(reader.get_by_role("link", name=title)).to_be_visible()
    reader.get_by_role("link", name=title).click()
    expect(reader.locator("article strong")).to_have_text("six")

    page.get_by_role("link", name=title, exact=True).click()
    page.get_by_label("Title").fill(f"{title}, mended")
    page.get_by_label("Text").fill("They are lit at *seven*.")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{title}, mended")
    expect(page.locator("article em")).to_have_text("seven")
    reader.reload()
    expect(reader.locator("article em")).to_have_text("seven")

    page.goto("/manage/blogs")
    row = page.get_by_role("row").filter(has_text=title)
    row.get_by_role("button", name="To the trash").click()
    expect(page.get_by_role("status")).to_contain_text("in the trash")
    assert gone(reader)
    page.get_by_role("link", name="Trash", exact=True).click()
    row.get_by_role("button", name="Restore").click()
    page.goto("/manage/blogs?status=draft")
    row.get_by_role("button", name="Publish").click()
    reader.reload()
    expect(reader.locator("article em")).to_have_text("seven")
    page.goto("/manage/blogs")
    row.get_by_role("button", name="Unpublish").click()
    assert gone(reader)


def gone(page: Page) -> bool:
    answer = page.reload()
    return answer is not None and answer.status == 404


def test_a_member_comments_answers_changes_and_deletes(newcomer: Callable[..., Page], town: Town, script: bool) -> None:
    page, reader = newcomer("member"), newcomer()
    post = town.publish(f"Under the arcade {next(_numbers)}", "Say something.")
    here = f"/blog/{post.id}-{post.slug}"

    page.goto(here)
    page.get_by_label("Your comment").fill("I like the *shade*.")
    page.get_by_role("button", name="Send the comment").click()
    first = page.locator(".comment").first
    expect(first.locator("em")).to_have_text("shade")
    expect(page).to_have_url(re.compile(r"#comment-\d+$"))

    page.get_by_text("Reply", exact=True).click()
    page.get_by_label("Your reply").fill("So do I.")
    page.get_by_role("button", name="Send the reply").click()
    reply = page.locator(".replies .comment")
    expect(reply).to_contain_text("So do I.")
    reader.goto(here)
    expect(reader.locator(".comment")).to_have_count(2)

    if script:
        reply.get_by_role("link", name="Edit").click()
    else:  # one's own comments are on the account page for who has no script
        page.goto("/account")
        page.locator(".own li").filter(has_text="So do I.").get_by_role("link", name="Edit").click()
    page.get_by_label("Comment").fill("So did I, until noon.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".replies .comment")).to_contain_text("until noon")
    reader.reload()
    expect(reader.locator(".replies .comment")).to_contain_text("until noon")

    if script:
        first.get_by_role("button", name="Delete").click()
        expect(first).to_contain_text("This comment was deleted.")
    else:
        page.goto("/account")
        page.locator(".own li").filter(has_text="shade").get_by_role("button", name="Delete").click()
        expect(page).to_have_url("/account")
        expect(page.locator(".own li")).to_have_count(1)
    reader.reload()
    expect(reader.locator(".comment").first).to_contain_text("This comment was deleted.")


def test_a_member_changes_name_and_password_and_ends_another_session(newcomer: Callable[..., Page], town: Town) -> None:
    page, other = newcomer("member"), newcomer()
    email = f"member.{re.sub(r'[^0-9]', '', list(town.users)[-1])}"
    sign_in(other, email)

    page.goto("/account")
    page.get_by_label("Your name").fill("Renamed Person")
    page.get_by_role("button", name="Change the name").click()
    expect(page.get_by_role("status")).to_have_text("Your name is changed.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed Person")

    page.locator("tbody").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("That session has ended.")
    other.goto("/account")
    expect(other).to_have_url(re.compile("/signin"))

    sign_in(other, email)
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("seven quiet lanterns")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    other.goto("/account")
    expect(other).to_have_url(re.compile("/signin"))
    sign_in(other, email)
    expect(other.get_by_role("alert")).to_be_visible()
    sign_in(other, email, "seven quiet lanterns")
    greeted(other, "Renamed Person")


def test_the_link_makes_an_administrator_once(newcomer: Callable[..., Page], town: Town) -> None:
    page, late = newcomer(), newcomer()
    link = f"/register?invite={town.do(lambda models: models.links.invite_admin())}"
    name = f"Admin {next(_numbers)}"

    page.goto(link)
    expect(page.get_by_text("administrator")).to_be_visible()
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email_of(name))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()

    expect(page).to_have_url(re.compile("/manage/"))
    user = town.do(lambda models: models.users.by_email(email_of(name)))
    assert user
    assert town.do(lambda models: models.users.bits(user)) == 0xFF, ADMIN
    answer = late.goto(link)
    assert answer
    assert answer.status == 404
