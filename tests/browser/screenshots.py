"""Pictures of every page for people to look at: `python -m tests.browser.screenshots FOLDER [NAME...]`; no test compares them."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.chromium import Window, run_chromium
from tests.browser.stops import STOPS, Stop
from tests.browser.town import Town, run_town, settle
from tests.harness.servers import Databases, run_servers

# (width, colours) of each picture
LOOKS = ((1280, "light"), (360, "light"), (1280, "dark"), (360, "dark"))


def take_all(folder: Path, names: list[str]) -> None:
    """A PNG for each state and look: `front-1280-dark.png`. Names choose the states that begin so."""
    folder.mkdir(parents=True, exist_ok=True)
    mail = {"smtp_url": "smtp://localhost:9", "mail_from": "plaza@example.org"}  # nobody is there: mails wait
    narrow = {"registration": "approve", "signin_failures_account": 1, "max_body": 65536}
    with run_servers() as place, run_chromium() as chromium:
        databases = Databases(place, "pictures")
        with (
            run_town(databases, **mail) as town,
            run_town(databases, **narrow) as village,
            chromium.at_work() as browser,
        ):
            settle(town)
            for stop in STOPS:
                if not names or stop.name.startswith(tuple(names)):
                    take(browser, village if stop.empty else town, stop, folder)
                    print(stop.name)


def take(browser: Browser, town: Town, stop: Stop, folder: Path) -> None:
    window = Window(browser, town.url, town.token(stop.who) if stop.who else None)
    page = window.page()
    stop.go(page, town)
    for width, colours in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
        settled(page)
        page.screenshot(path=folder / f"{stop.name}-{width}-{colours}.png", full_page=True)
    window.context.close()


def settled(page: Page) -> None:
    """Two frames after the change of size."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


if __name__ == "__main__":
    take_all(Path(sys.argv[1]), sys.argv[2:])
