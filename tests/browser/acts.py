"""What is done on a page before it is looked at: a form sent, a link followed, a game played."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser import hostile


def press(button: str, **fields: str) -> Callable[[Page], None]:
    """Fill in fields by their names, then press a button of the same form."""

    def act(page: Page) -> None:
        form = page.locator("main form").filter(has=page.get_by_role("button", name=button, exact=True)).first
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        with page.expect_navigation():
            form.get_by_role("button", name=button, exact=True).click()

    return act


def ticked(button: str, **fields: str) -> Callable[[Page], None]:
    """As `press`, with every box of that form ticked."""

    def act(page: Page) -> None:
        for box in page.locator("main form").filter(has_text=button).get_by_role("checkbox").all():
            box.check()
        press(button, **fields)(page)

    return act


def follow(link: str) -> Callable[[Page], None]:
    """Use the first link of that name."""
    return lambda page: page.get_by_role("link", name=link).first.click()


def ended(page: Page) -> None:
    """The session ends while somebody writes, whose words the scripts have not seen: they would ask, and be refused."""
    for name, value in {"title": hostile.TITLE, "body": hostile.BODY, "summary": hostile.LONG * 2}.items():
        page.locator(f"main form [name={name}]").evaluate("(field, value) => { field.value = value; }", value)
    page.context.clear_cookies(name="plaza")
    press("Save")(page)


def beaten(page: Page) -> None:
    """Another editor was faster."""
    page.locator("[name=version]").evaluate("field => { field.value = '999' }")
    press("Save", title=hostile.TITLE, body=hostile.BODY)(page)


def twice(button: str, **fields: str) -> Callable[[Page], None]:
    """Until the limit is reached, where the limit is one."""

    def act(page: Page) -> None:
        press(button, **fields)(page)
        press(button, **fields)(page)

    return act


def stranger(page: Page) -> None:
    """A stranger's comment, as from a browser without scripts."""
    page.locator("[data-members]").evaluate_all("parts => parts.forEach(part => { part.hidden = false })")
    press("Send the comment", body=hostile.COMMENT)(page)


def answering(page: Page) -> None:
    page.locator("a[data-reply]").first.click()


def unticked(page: Page) -> None:
    """The form of a poll as a browser without scripts sends it, with nothing chosen."""
    with page.expect_navigation():
        page.locator(".poll-box").evaluate("form => form.submit()")


def drawn(page: Page) -> None:
    """The polls of a text, which are drawn when they are looked at."""
    page.wait_for_function("""() => {
      const link = document.querySelector('a[data-poll]');
      link?.scrollIntoView({ behavior: 'instant' });
      return !link;
    }""")


def played(page: Page) -> None:
    """A game whose rings all went by."""
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Start").press(" ")
    page.clock.run_for(90_000)
    page.get_by_role("button", name="Play again").wait_for()


def uploaded(page: Page) -> None:
    """One file is there, one is on its way, one waits, one was refused, one was cancelled."""
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """name => {
          const say = (detail, n) => [() => detail.done({ url_s: `${location.origin}/s/abcdef`, url_p: "/files" }),
            () => detail.failed("“b.txt” was not taken. There is no room left.", false),
            () => detail.failed("“c.txt” did not arrive: the connection broke.", true), () => detail.progress(0.4)][n]?.();
          let n = 0;
          document.addEventListener("send", event => {
            event.stopImmediatePropagation();
            say(event.detail, n++);
          }, { capture: true });
          const data = new DataTransfer();
          for (const called of [name, "b.txt", "c.txt", "d.txt", "e.txt"]) data.items.add(new File(["x"], called));
          document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
        }""",
        hostile.LONG,
    )
