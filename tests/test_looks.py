"""What the looks promise: small files, nothing inline, every text through gettext, every colour readable."""

import re
import runpy
from collections.abc import Iterator
from html.parser import HTMLParser
from math import cos, radians, sin
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").glob("*.js"))
CSS = (ROOT / "static/site.css").read_text(encoding="utf-8")
MANAGE_CSS = (ROOT / "static/manage.css").read_text(encoding="utf-8")
ALONE = frozenset({"play", "poll"})  # scripts of some pages, with a bound of their own
READ_ALOUD = frozenset({"aria-label", "alt", "title", "placeholder", "content"})
ATTRIBUTE = re.compile(r'(?<=[ ])(?:lang|dir|class|aria-describedby|aria-invalid|data-if)="[^"]*"')
PLACEHOLDER = re.compile(r"%\(\w+\)s|<[^>]+>")

each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))


def test_the_stylesheets_are_few_and_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "static").glob("*.css")}

    assert set(sizes) == {
        "site.css", "manage.css", "timing.css", "boards.css", "play.css", "polls.css", "files.css"
    }  # fmt: skip
    assert sizes["site.css"] <= 20_000
    assert sizes["manage.css"] <= 12_000
    assert sizes["timing.css"] <= 2_000  # staff alone load it, on every page
    assert sizes["boards.css"] <= 1_000
    assert sizes["polls.css"] <= 2_500
    assert sizes["files.css"] <= 4_500
    loads_it = [path.name for path in TEMPLATES if "manage.css" in path.read_text(encoding="utf-8")]
    assert loads_it == ["base.html"], "only manage/base.html loads what only manage pages need"


def test_the_scripts_are_small_in_all_and_stand_alone() -> None:
    apart = ("manage-", "files-")  # no reader loads them, but for the last few lines on the page of a file
    for begin, most in (("manage-", 10_000), ("files-", 14_000), ("", 10_500)):
        mine = [
            path for path in SCRIPTS if path.name.startswith(begin or apart) is bool(begin) and path.stem not in ALONE
        ]
        assert sum(path.stat().st_size for path in mine) <= most, begin
    for path in SCRIPTS:
        # Names are hashed when they are published, so a module cannot name another; text is never parsed as HTML.
        assert not re.search(
            r"^\s*import\b|\bimport\(|innerHTML|\beval\(", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path


def test_the_script_of_polls_is_small() -> None:
    assert (ROOT / "static" / "poll.js").stat().st_size <= 7_500


def test_the_game_is_ten_kilobytes_in_all() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "static").glob("play.*")) <= 10_000


def test_no_colour_is_written_outside_the_properties() -> None:
    more = "".join(
        (ROOT / "static" / name).read_text(encoding="utf-8")
        for name in ("boards.css", "play.css", "polls.css", "files.css")
    )
    rules = CSS[CSS.index("@layer base {") :] + MANAGE_CSS + more
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) <= {"#fff"}  # the paper of a printer


class Markup(HTMLParser):
    """Collects what a policy without 'unsafe-inline' forbids, and the texts that a reader would meet untranslated."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.texts: list[str] = []
        self.stable: list[str] = []  # open elements that are not to be translated

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        data = given.get("type") == "application/ld+json"  # never run, so no policy forbids it
        if tag == "style" or (tag == "script" and not given.get("src") and not data):
            self.inline.append(tag)
        if given.get("translate") == "no":
            self.stable.append(tag)
        if tag != "meta" or given.get("name") == "description":
            self.texts += [
                value for name, value in given.items() if name in READ_ALOUD and value and has_letters(value)
            ]

    def handle_endtag(self, tag: str) -> None:
        if self.stable and self.stable[-1] == tag:
            self.stable.pop()

    def handle_data(self, data: str) -> None:
        words = ATTRIBUTE.sub("", data)  # what a macro adds to an element stands here without its element
        if not self.stable and has_letters(words):
            self.texts.append(words.strip())


def has_letters(text: str) -> bool:
    return any(sign.isalpha() for sign in text)


def marked_up(path: Path) -> Markup:
    """The template without what it computes: each expression is a 1. What passes gettext is an expression."""
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True).parse(
        path.read_text(encoding="utf-8")
    )
    parts = (part for output in tree.find_all(nodes.Output) for part in output.nodes)
    found = Markup()
    found.feed("".join(part.data if isinstance(part, nodes.TemplateData) else "1" for part in parts))
    return found


@each_template
def test_nothing_is_inline(path: Path) -> None:
    assert marked_up(path).inline == []


@each_template
def test_every_text_passes_gettext(path: Path) -> None:
    assert marked_up(path).texts == []


def messages(catalog: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(ids, translations) of each text."""
    for message in catalog:
        if message.id:
            ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
            yield ids, (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def test_the_catalogue_holds_every_text() -> None:
    wanted = runpy.run_path(str(ROOT / "locale/update.py"))["collect"]()

    with (ROOT / "locale/plaza.pot").open("rb") as file:
        kept = read_po(file)
    missing = {ids for ids, _ in messages(wanted)} ^ {ids for ids, _ in messages(kept)}
    assert not missing, "run .venv/bin/python locale/update.py"


def test_chinese_is_complete_and_keeps_every_placeholder() -> None:
    with (ROOT / "locale/plaza.pot").open("rb") as file:
        wanted = dict(messages(read_po(file)))
    with (ROOT / "locale/zh/LC_MESSAGES/plaza.po").open("rb") as file:
        chinese = dict(messages(read_po(file, locale="zh")))

    assert set(chinese) == set(wanted)
    assert [ids for ids, strings in chinese.items() if not all(strings)] == []
    for ids, strings in chinese.items():
        for text in strings:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(ids[-1])), text


COLOURS = dict(re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]+, #[0-9a-f]+)\)", CSS))
ON_PAPER = [(text, ground) for text in ("ink", "quiet", "accent", "danger") for ground in ("paper", "raised", "well")]
ON_CODE = [(name, "raised") for name in COLOURS if name.startswith("code-")]
ON_TINTS = [
    ("ink", "glow"),
    ("ink", "mint"),
    ("quiet", "mint"),
    ("accent", "mint"),
    ("danger", "mint"),
    ("ink", "blush"),
]
TEXT = [*ON_PAPER, *ON_CODE, *ON_TINTS, ("on-accent", "accent")]
SHAPES = [("edge", "paper"), ("edge", "well"), ("sun", "paper"), ("sun", "raised"), ("accent", "paper")]


def luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance (WCAG 2.2) of linear light."""
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def of_hex(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return luminance(red, green, blue)


def of_oklch(light: float, chroma: float, hue: float) -> float:
    """CSS Color 4, from Oklch to linear sRGB; what lies outside is clipped."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return luminance(*(min(max(part, 0.0), 1.0) for part in (red, green, blue)))


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize("night", [False, True], ids=["day", "night"])
@pytest.mark.parametrize(("one", "other", "least"), [(*pair, 4.5) for pair in TEXT] + [(*pair, 3.0) for pair in SHAPES])
def test_colours_can_be_told_apart(one: str, other: str, least: float, night: bool) -> None:
    first, second = (of_hex(COLOURS[name].split(", ")[night]) for name in (one, other))

    assert contrast(first, second) >= least


def test_the_letter_in_a_circle_can_be_read_in_every_hue() -> None:
    hues = [float(hue) for hue in re.findall(r"\.hue-\d+ \{ --hue: (\d+)", CSS)]
    grounds, letters = re.findall(r"light-dark\(oklch\((\d+)% ([.\d]+) [^)]+\)\), oklch\((\d+)% ([.\d]+)", CSS)

    assert len(hues) == 12
    for hue in hues:
        for at in (0, 2):
            ground = of_oklch(int(grounds[at]) / 100, float(grounds[at + 1]), hue)
            letter = of_oklch(int(letters[at]) / 100, float(letters[at + 1]), hue)
            assert contrast(ground, letter) >= 4.5, (hue, at)
