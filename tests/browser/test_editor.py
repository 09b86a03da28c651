"""The editor in a real browser: what readers will see while one types, nothing typed is lost, tables are pasted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.town import Town

TEXT = "Words of an hour."


def write(page: Page, text: str = TEXT, title: str = "New words") -> None:
    page.goto("/manage/blogs/create")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text", exact=True).fill(text)


def kept(page: Page) -> None:
    """The site says that it has what was typed."""
    expect(page.locator("[data-state]")).to_have_text(re.compile("Unsaved text kept at"))


def forget(page: Page) -> None:
    """Leave nothing behind for the next test."""
    page.goto("/manage/blogs/create")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Throw away").first.click()
    expect(page.get_by_text("The unsaved text is gone.")).to_be_visible()


def test_what_readers_will_see_follows_the_keys(visit: Visit) -> None:
    page = visit("alice")
    write(page, "A **bold** word.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n<script>document.title = 'broken'</script>")

    seen = page.get_by_label("As readers will see it")
    expect(seen.locator("strong")).to_have_text("bold")
    expect(seen.locator("td")).to_have_text(["1", "2"])
    expect(seen.locator(".seen-title")).to_have_text("New words")
    expect(page).not_to_have_title("broken")
    kept(page)
    forget(page)


def test_a_closed_browser_loses_nothing(visit: Visit) -> None:
    page = visit("alice")
    write(page)
    kept(page)
    page.close(run_before_unload=False)

    page = visit("alice")
    page.goto("/manage/blogs/create")
    expect(page.get_by_label("Text", exact=True)).to_have_value("")
    page.get_by_role("link", name="Restore").click()

    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.get_by_label("Title")).to_have_value("New words")
    forget(page)


# Playwright's synchronous routes were once seen to wait for ever here, in five runs: not among what every change waits for.
@pytest.mark.long
def test_a_site_that_is_away_loses_nothing(visit: Visit) -> None:
    page = visit("alice")
    page.route("**/autosave", lambda route: route.abort("aborted"))
    write(page)
    expect(page.locator("[data-state]")).to_have_text(re.compile("kept in this browser"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/manage/blogs/create")
    expect(page.get_by_text("This browser kept text")).to_be_visible()
    page.unroute("**/autosave")
    page.get_by_role("button", name="Restore").click()

    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    kept(page)
    page.goto("/manage/blogs/create")
    expect(page.get_by_text("This browser kept text")).to_be_hidden()
    expect(page.get_by_text("You have unsaved text")).to_be_visible()
    page.get_by_role("button", name="Throw away").first.click()


def test_earlier_unsaved_text_is_not_overwritten_before_one_has_decided(visit: Visit) -> None:
    page = visit("alice")
    write(page)
    kept(page)
    write(page, "Other words.")
    expect(page.locator("[data-state]")).to_have_text(re.compile("^Decide about"))
    page.goto("/manage/blogs/create")

    expect(page.get_by_text("This browser kept text")).to_be_visible()
    page.get_by_role("link", name="Restore").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    forget(page)


def test_enter_in_the_title_saves_and_does_not_publish(visit: Visit, town: Town) -> None:
    page = visit("alice")
    write(page, title="Entered")
    page.get_by_label("Title").press("Enter")

    expect(page.get_by_role("status").first).to_have_text("Saved.")
    expect(page.locator(".state.draft")).to_be_visible()


def test_a_pasted_table_becomes_one_in_markdown(visit: Visit) -> None:
    page = visit("alice")
    page.goto("/manage/blogs/create")
    text = page.get_by_label("Text", exact=True)
    text.focus()
    text.evaluate(
        """field => {
          const data = new DataTransfer();
          data.setData("text/html", "<table><tr><th>Fruit</th><th>a|b</th></tr><tr><td>Plum</td><td>2 \\n kg</td></tr></table>");
          data.setData("text/plain", "Fruit\\ta|b");
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )

    expect(text).to_have_value("\n| Fruit | a\\|b |\n| --- | --- |\n| Plum | 2 kg |\n\n")
    expect(page.get_by_label("As readers will see it").locator("td")).to_have_text(["Plum", "2 kg"])
    kept(page)
    forget(page)


def test_the_text_around_a_pasted_table_stays(visit: Visit) -> None:
    page = visit("alice")
    page.goto("/manage/blogs/create")
    text = page.get_by_label("Text", exact=True)
    text.focus()
    text.evaluate(
        """field => {
          const data = new DataTransfer();
          const table = "<table><tr><th>水果</th><th>a|b</th></tr><tr><td>Plum</td><td>2 kg</td></tr></table>";
          data.setData("text/html", `<p>Before.</p>${table}<p>After.</p>`);
          data.setData("text/plain", "Before.\\n\\n水果\\ta|b\\r\\nPlum\\t2 kg\\nAfter.");
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )

    expect(text).to_have_value("Before.\n\n\n| 水果 | a\\|b |\n| --- | --- |\n| Plum | 2 kg |\n\n\nAfter.")
    kept(page)
    forget(page)


def test_ticks_count_and_a_run_is_ticked_with_shift(visit: Visit) -> None:
    page = visit("alice")
    page.goto("/manage/blogs")
    boxes = page.get_by_role("checkbox", name=re.compile("^Select"))
    trash = page.get_by_role("group", name="For the selected rows").get_by_role("button", name="To the trash")
    expect(trash).to_be_disabled()

    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("[data-ticked]")).to_have_text("4")
    page.get_by_label("All on this page").check()
    expect(boxes.nth(0)).to_be_checked()
    page.get_by_label("All on this page").uncheck()
    expect(trash).to_be_disabled()


def test_many_are_trashed_and_come_back(visit: Visit, town: Town, script: bool) -> None:
    titles = [f"To be trashed {number} {script}" for number in range(2)]
    for title in titles:
        town.publish(title, "Soon gone.", "passing")
    page = visit("alice", java_script_enabled=script)
    page.goto("/manage/blogs?tag=passing")
    for title in titles:
        page.get_by_role("checkbox", name=title).check()
    page.get_by_role("group", name="For the selected rows").get_by_role("button", name="To the trash").click()
    expect(page.get_by_role("status").first).to_contain_text("2 posts are in the trash.")
    expect(page.get_by_role("link", name=titles[0])).to_have_count(0)

    page.get_by_role("button", name="Undo").click()

    for title in titles:
        expect(page.get_by_role("row").filter(has_text=title).locator(".state.published")).to_be_visible()
