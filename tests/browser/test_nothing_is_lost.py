"""What somebody typed is still there when the site cannot take it: strangers, wrong input, ended sessions, two editors."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.town import Town

TEXT = "A long thought,\nof two lines, <b>typed</b> & kept."


def test_a_strangers_comment_is_sent_after_signing_in(visit: Visit, town: Town) -> None:
    page = visit(java_script_enabled=False)
    page.goto(town.path("quiet"))
    page.get_by_label("Your comment").fill(TEXT)
    page.get_by_role("button", name="Send the comment").click()
    expect(page.get_by_label("Your comment")).to_have_value(TEXT)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in (opens a new tab)").click()
    opened.value.get_by_label("E-mail").fill("bob@example.org")
    opened.value.get_by_label("Password").fill("correct horse battery")
    opened.value.get_by_role("button", name="Sign in").click()
    opened.value.wait_for_url(town.path("quiet"))
    page.get_by_role("button", name="Send the comment").click()

    expect(page.locator(".comment").last).to_contain_text("of two lines, <b>typed</b> & kept.")


def wrong(field: Locator, message: str) -> None:
    """The message stands beside the field, and is tied to it."""
    expect(field).to_have_attribute("aria-invalid", "true")
    said = (field.get_attribute("aria-describedby") or "").split()
    beside = field.locator("xpath=..").locator(", ".join(f"#{id}.error" for id in said))
    expect(beside).to_be_visible()
    expect(beside).to_contain_text(message)


def test_registration_tells_all_errors_beside_their_fields(visit: Visit, script: bool) -> None:
    page = visit(java_script_enabled=script)
    page.goto("/register")
    page.get_by_label("Name").fill("x")
    page.get_by_label("E-mail").fill("nowhere")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Register").click()

    wrong(page.get_by_label("Name"), "2 to 40 characters")
    wrong(page.get_by_label("E-mail"), "e-mail address")
    wrong(page.get_by_label("Password"), "10 characters")
    expect(page.get_by_label("Name")).to_have_value("x")
    expect(page.get_by_label("E-mail")).to_have_value("nowhere")
    expect(page.get_by_label("Password")).to_have_value("")
    if script:
        expect(page.get_by_label("Name")).to_be_focused()


def test_a_taken_address_is_told_beside_it(visit: Visit) -> None:
    page = visit()
    page.goto("/register")
    page.get_by_label("Name").fill("Another Bob")
    page.get_by_label("E-mail").fill("bob@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Register").click()

    wrong(page.get_by_label("E-mail"), "There is an account with this address.")
    expect(page.get_by_label("Name")).to_have_value("Another Bob")


def test_a_post_without_title_and_text_keeps_the_rest(visit: Visit, script: bool) -> None:
    page = visit("alice", java_script_enabled=script)
    page.goto("/manage/blogs/create")
    page.get_by_label("Summary").fill("About nothing")
    page.get_by_label("Tags").fill("one, two words, three")
    page.get_by_role("button", name="Publish").click()

    wrong(page.get_by_label("Title"), "A post needs a title.")
    wrong(page.get_by_label("Text"), "A post needs some text.")
    expect(page.get_by_label("Summary")).to_have_value("About nothing")
    expect(page.get_by_label("Tags")).to_have_value("one, two words, three")


def test_the_account_page_tells_what_is_wrong_in_which_form(visit: Visit) -> None:
    page = visit("olga")
    page.goto("/account")
    page.get_by_label("Your name").fill("x")
    page.get_by_role("button", name="Change the name").click()
    wrong(page.get_by_label("Your name"), "2 to 40 characters")
    expect(page.get_by_label("Your name")).to_have_value("x")

    page.get_by_label("Present password").fill("not mine")
    page.get_by_label("New password").fill("seven quiet lanterns")
    page.get_by_role("button", name="Change the password").click()
    wrong(page.get_by_label("Present password"), "not your present password")


def test_an_empty_comment_is_refused_beside_its_box(visit: Visit, town: Town) -> None:
    page = visit("bob")
    page.goto(f"/comments/{town.comments['bob']}/edit")
    page.get_by_label("Comment").fill("   ")
    page.get_by_role("button", name="Save").click()

    wrong(page.get_by_label("Comment"), "A comment needs some text.")


def fill_in(page: Page, town: Town) -> str:
    """The title of a new draft that is open in the editor, with changes typed."""
    post = town.publish("Before the change", "Old words.", by="alice")
    page.goto(f"/manage/blogs/edit?id={post.id}")
    page.get_by_label("Title").fill("After the change")
    page.get_by_label("Text").fill(TEXT)
    return f"/blog/{post.id}"


def test_text_survives_a_session_that_ended_while_it_was_written(visit: Visit, town: Town, script: bool) -> None:
    page = visit("alice", java_script_enabled=script)
    address = fill_in(page, town)
    if script:  # the preview has been drawn: it asks no more, which would be refused from now on
        expect(page.locator("[data-seen]")).to_contain_text("of two lines")
    town.end_sessions("alice")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_label("Text")).to_have_value(TEXT)

    page.context.add_cookies([{"name": "plaza", "value": town.token("alice"), "url": town.url}])
    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("After the change")
    page.goto(address)
    expect(page.locator("article .prose")).to_contain_text("of two lines,")


def test_the_slower_of_two_editors_is_told_and_loses_nothing(visit: Visit, town: Town, script: bool) -> None:
    slow, quick = (visit(name, java_script_enabled=script) for name in ("alice", "ada"))
    address = fill_in(slow, town)
    quick.goto(slow.url)
    quick.get_by_label("Text").fill("The quick one's words.")
    quick.get_by_role("button", name="Save changes").click()
    expect(quick.locator("article .prose")).to_contain_text("quick one's")

    slow.get_by_role("button", name="Save changes").click()
    expect(slow.get_by_role("alert")).to_contain_text("Ada saved this post")
    expect(slow.get_by_role("textbox", name="Text")).to_have_value(TEXT)
    expect(slow.get_by_role("textbox", name="Title")).to_have_value("After the change")
    quick.goto(address)
    expect(quick.locator("article .prose")).to_contain_text("quick one's")

    slow.get_by_role("button", name="Save mine over theirs").click()
    expect(slow.get_by_role("heading", level=1)).to_have_text("After the change")
