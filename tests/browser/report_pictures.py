"""The pictures of docs/load-testing.md: `python -m tests.browser.report_pictures RUN.json AB.json docs/images`."""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from replay import results, rounds
from replay.report import html
from replay.report.pairs import html_of_two
from tests.browser.chromium import run_chromium
from tests.browser.screenshots import settled

WIDTH, HEIGHT = 1160, 1480  # what a document shows of a page that is longer
COLOURS = 128


def take(browser: Browser, page: str, path: Path) -> None:
    """The upper part of the page, by day."""
    window = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    window.set_content(page)
    settled(window)
    window.screenshot(path=path)
    window.close()
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def take_both(run_file: Path, ab_file: Path, folder: Path) -> None:
    turns = rounds.read(ab_file)
    assert isinstance(turns, rounds.Turns)
    with run_chromium() as chromium, chromium.at_work() as browser:
        take(browser, html(results.read(run_file)), folder / "load-report.png")
        page = html_of_two(turns.of("A"), turns.of("B"), turns.compare())
        take(browser, page, folder / "load-comparison.png")


if __name__ == "__main__":
    take_both(*map(Path, sys.argv[1:]))
