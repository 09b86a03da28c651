"""Files in a real browser: dropped, pasted, by the plain form; sent on by a short link; put into texts; deleted and back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from models.file_rows import File
from tests.browser.chromium import Window
from tests.browser.conftest import Visit
from tests.browser.town import Town
from tests.harness.files import png, stored

# As the browser does it: `how` is "drop" or "paste", files are [name, type, bytes].
BRING = """(target, [how, files, text]) => {
  const data = new DataTransfer();
  for (const [name, type, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type }));
  if (text) data.setData("text/plain", text);
  const options = { bubbles: true, cancelable: true };
  if (how === "paste") return !target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
  target.dispatchEvent(new DragEvent("dragenter", { ...options, dataTransfer: data }));
  return !target.dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: data }));
}"""


def bring(page: Page, how: str, *files: tuple[str, str, bytes], at: str = "body", text: str = "") -> bool:
    """Whether a script of the page took it."""
    listed = [[name, type, list(data)] for name, type, data in files]
    taken: bool = page.locator(at).first.evaluate(BRING, [how, listed, text])
    return taken


@pytest.fixture
def files_page(visit: Visit) -> Page:
    page = visit("bob")
    page.goto("/files", wait_until="networkidle")
    return page


@pytest.fixture(autouse=True)
def left_as_found(town: Town) -> Iterator[None]:
    """What a test has uploaded is not there for the next one."""
    before = {file.id for name in ("alice", "bob") for file in files_of(town, name)}
    yield
    for name in ("alice", "bob"):
        for file in files_of(town, name):
            if file.id not in before:
                take_away(town, file, name)


def take_away(town: Town, file: File, name: str) -> None:
    town.do(lambda models: models.files.trash(file.id, by=town.users[name]))


def files_of(town: Town, name: str) -> list[File]:
    return town.do(lambda models: models.files.of_owner(town.users[name].id))


def test_a_pasted_screenshot_becomes_a_short_link_that_a_stranger_opens(files_page: Page, visit: Visit) -> None:
    assert bring(files_page, "paste", ("image.png", "image/png", png(40, 30, "navy")))
    link = files_page.get_by_label("Short link")
    expect(link).to_have_value(re.compile(r"/s/\w{6,}$"))
    expect(files_page.get_by_role("list", name="Your uploads")).to_contain_text(re.compile(r"Pasted 20\d\d-.*\.png"))
    expect(files_page.locator("[data-said]")).to_have_text(re.compile("Done.*/s/"))

    stranger = visit()
    stranger.goto(link.input_value())
    expect(stranger).to_have_url(re.compile(r"/p/[0-9a-f]{32}\.png$"))
    picture = stranger.locator(".preview img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40


def test_files_dropped_anywhere_go_one_after_the_other(files_page: Page, town: Town) -> None:
    files = [(f"drop {n}.txt", "text/plain", f"dropped {n}".encode()) for n in range(3)]
    assert bring(files_page, "drop", *files, at="h1")
    rows = files_page.get_by_role("list", name="Your uploads").get_by_role("listitem")
    expect(rows).to_have_count(3)
    for row, (name, _, _) in zip(rows.all(), files, strict=True):
        expect(row.get_by_role("link", name="Open")).to_be_visible()
        expect(row.locator("[data-name]")).to_have_text(name)

    assert [file.name for file in files_of(town, "bob")[:3]] == ["drop 2.txt", "drop 1.txt", "drop 0.txt"]
    expect(files_page.locator("[data-over]")).to_be_hidden()


def test_the_plain_form_does_it_too(visit: Visit, tmp_path: Path, script: bool) -> None:
    path = tmp_path / "一份文件 (1).txt"
    path.write_text("plain words")
    page = visit("bob", java_script_enabled=script)
    page.goto("/files")
    page.get_by_label("A file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    if script:
        page.get_by_role("link", name="Open").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(path.name)
    expect(page.locator("pre")).to_have_text("plain words")


def test_what_fails_is_told_and_sent_again(chromium: Browser, town: Town) -> None:
    window = Window(chromium, town.url, town.token("bob"), extra_http_headers=town.anew)
    page = window.page()
    page.goto("/files", wait_until="networkidle")
    window.context.set_offline(True)
    bring(page, "drop", ("again.txt", "text/plain", b"again"))
    row = page.get_by_role("list", name="Your uploads").get_by_role("listitem")
    expect(row).to_contain_text("“again.txt” did not arrive")
    window.context.set_offline(False)
    row.get_by_role("button", name="Try again").click()

    expect(row.get_by_role("link", name="Open")).to_be_visible()
    assert files_of(town, "bob")[0].name == "again.txt"
    assert [problem for problem in window.drain() if "DISCONNECTED" not in problem] == []
    window.context.close()


def test_a_file_that_is_too_large_is_not_even_sent(files_page: Page) -> None:
    files_page.locator(".upload").evaluate("form => { form.dataset.most = 3 }")
    asked: list[str] = []
    files_page.on("request", lambda request: asked.append(request.url))
    bring(files_page, "drop", ("large.txt", "text/plain", b"four"), ("small.txt", "text/plain", b"abc"))

    rows = files_page.get_by_role("list", name="Your uploads").get_by_role("listitem")
    expect(rows.nth(0)).to_contain_text("“large.txt” is too large")
    expect(rows.nth(0).get_by_role("button", name="Try again")).to_be_hidden()
    expect(rows.nth(1).get_by_role("link", name="Open")).to_be_visible()
    assert len(asked) == 1


def test_an_upload_is_cancelled_and_the_next_one_goes_on(files_page: Page, town: Town) -> None:
    network = files_page.context.new_cdp_session(files_page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    network.send("Network.emulateNetworkConditions", slow)
    bring(files_page, "drop", ("slow.bin", "", bytes(2_000_000)), ("quick.txt", "text/plain", b"quick"))
    first, second = files_page.get_by_role("list", name="Your uploads").get_by_role("listitem").all()
    expect(first.get_by_role("progressbar")).to_be_visible()
    expect(second).to_contain_text("Waiting")
    first.get_by_role("button", name="Cancel").click()
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})

    expect(first).to_contain_text("Cancelled")
    expect(first.get_by_role("button", name="Try again")).to_be_focused()
    expect(second.get_by_role("link", name="Open")).to_be_visible()
    assert [file.name for file in files_of(town, "bob") if file.name in ("slow.bin", "quick.txt")] == ["quick.txt"]


def test_a_visitor_is_invited_to_sign_in(visit: Visit) -> None:
    page = visit()
    page.goto("/files", wait_until="networkidle")

    expect(page.get_by_label("A file")).to_be_hidden()
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_have_attribute(
        "href", "/signin?next=/files"
    )
    assert not bring(page, "drop", ("x.txt", "text/plain", b"x"))


@pytest.mark.parametrize(("who", "leads_to"), [("bob", "/account/files"), ("olga", "/manage/files")])
def test_a_file_is_deleted_where_it_is_seen_and_comes_back(visit: Visit, town: Town, who: str, leads_to: str) -> None:
    file = town.do(lambda models: stored(models, town.users["bob"], f"for {who}.txt", who.encode()))
    page = visit(who)
    page.goto(f"/p/{file.stored_name}")
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(re.escape(leads_to)))
    page.get_by_role("button", name="Undo").click()
    page.goto(f"/p/{file.stored_name}")

    expect(page.get_by_role("heading", level=1)).to_have_text(file.name)


def test_another_size_is_made_where_the_image_is_seen(visit: Visit, town: Town) -> None:
    page = visit("alice")
    page.goto(f"/p/{town.files['wide'].stored_name}")
    page.get_by_label("Width").fill("30")
    page.get_by_label("Height").fill("20")
    page.get_by_role("button", name="Make it").click()
    link = page.locator("[data-said] a")
    expect(link).to_have_attribute("href", re.compile(r"^/i/[0-9a-f]{32}\.png$"))

    load = "src => { const one = Object.assign(new Image(), { src }); return one.decode().then(() => [one.width, one.height]) }"
    assert page.evaluate(load, link.get_attribute("href")) == [30, 20]


def editor(visit: Visit) -> Page:
    page = visit("alice")
    page.goto("/manage/blogs/create", wait_until="networkidle")
    page.get_by_label("Title").fill("With a picture")
    page.get_by_label("Text", exact=True).fill("Before.\n\nAfter.")
    page.get_by_label("Text", exact=True).evaluate("field => field.setSelectionRange(9, 9)")
    return page


def forget(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_text(re.compile("Unsaved text kept at"))
    page.goto("/manage/blogs/create")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Throw away").first.click()
    expect(page.get_by_text("The unsaved text is gone.")).to_be_visible()


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_an_image_brought_into_the_editor_stands_in_the_text(visit: Visit, how: str) -> None:
    page = editor(visit)
    text = page.get_by_label("Text", exact=True)
    assert bring(page, how, (f"a [{how}].png", "image/png", png(20, 10, "olive")), at="[name=body]")

    expect(text).to_have_value(re.compile(rf"^Before\.\n\n!\[a \\\[{how}\\\]\.png\]\(/i/[0-9a-f]{{32}}\.png\)After\.$"))
    picture = page.get_by_label("As readers will see it").locator(".prose img")
    expect(picture).to_have_attribute("alt", f"a [{how}].png")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 20
    assert text.evaluate("field => field.value.slice(field.selectionStart)") == "After."
    text.press("Control+z")
    text.press("Control+z")
    expect(text).to_have_value("Before.\n\nAfter.")
    text.press("Control+Shift+z")
    forget(page)


def test_words_go_on_while_an_image_is_on_its_way(visit: Visit) -> None:
    page = editor(visit)
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    network.send("Network.emulateNetworkConditions", slow)
    text = page.get_by_label("Text", exact=True)
    bring(page, "paste", ("image.bin", "", bytes(1_000_000)), at="[name=body]")
    expect(text).to_have_value(re.compile("Uploading"))
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("A file is still on its way.")).to_be_visible()
    page.get_by_label("Title").press("End")
    page.get_by_label("Title").press_sequentially(", and more")
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})

    expect(text).to_have_value(re.compile(r"^Before\.\n\n\[image\.bin\]\(/p/[0-9a-f]{32}\.bin\)After\.$"))
    expect(page.get_by_label("Title")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("With a picture, and more")
    forget(page)


def test_a_mark_that_is_deleted_cancels_its_file(visit: Visit, town: Town) -> None:
    page = editor(visit)
    before = files_of(town, "alice")
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    network.send("Network.emulateNetworkConditions", slow)
    bring(page, "drop", ("unwanted.bin", "", bytes(500_000)), at="[name=body]")
    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_value(re.compile("Uploading"))
    text.fill("Something else.")
    expect(page.locator("form.editor progress")).to_have_count(0)
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})

    expect(text).to_have_value("Something else.")
    assert files_of(town, "alice") == before
    forget(page)


def test_cells_of_a_sheet_come_as_text_and_not_as_their_picture(visit: Visit) -> None:
    page = editor(visit)
    taken = bring(page, "paste", ("image.png", "image/png", png()), at="[name=body]", text="1\t2")

    assert not taken
    forget(page)


def test_a_comment_gets_a_link_and_its_post_loads_that_script_for_members_alone(visit: Visit, town: Town) -> None:
    page = visit("bob")
    with page.expect_response(re.compile("files-insert")):
        page.goto(town.path("quiet"))
    field = page.get_by_label("Your comment")
    field.fill("See ")
    field.press("End")
    bring(page, "paste", ("image.png", "image/png", png(9, 9, "red")), at="#comment")
    expect(field).to_have_value(re.compile(r"^See \[image\.png\]\(/p/[0-9a-f]{32}\.png\)$"))
    expect(page.locator(".comment-form [role=status]")).to_contain_text("is uploaded")

    stranger = visit()
    asked: list[str] = []
    stranger.on("request", lambda request: asked.append(request.url))
    stranger.goto(town.path("quiet"), wait_until="networkidle")
    assert [url for url in asked if "files-" in url] == []
    page.on("dialog", lambda dialog: dialog.accept())
