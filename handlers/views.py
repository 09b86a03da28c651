"""How a page is drawn: Jinja2 with autoescape, in the reader's language, with links, times and numbers spelt in one way."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from babel.units import format_unit
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from tornado.locale import GettextLocale

from content.languages import LANGUAGES, translations
from handlers.compiled import compiled_in
from models.traces import TRACE
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
HTML_LANGUAGE = {"en": "en", "zh": "zh-CN"}
_BABEL = {"en": "en_GB", "zh": "zh_Hans_CN"}
_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
_KANA, _HAN = re.compile("[\u3040-\u30ff]"), re.compile("[\u4e00-\u9fff]")


class Views:
    """The templates of every language. `static` gives the hashed address of a file, `url` the path of a named route."""

    def __init__(self, settings: Settings, static: Callable[[str], str]) -> None:
        self._zone = ZoneInfo(settings.time_zone)
        self.static = static
        self._catalogues = {lang: translations(lang) for lang in LANGUAGES}
        self.locales = {lang: GettextLocale(_BABEL[lang], self._catalogues[lang]) for lang in LANGUAGES}
        # The text of this file stands for the options of the environment. The code is the same in each language.
        self._compiled = compiled_in(settings.var / "templates", Path(__file__).read_text())
        self._environments = {lang: self._environment(lang, settings, static) for lang in LANGUAGES}

    def load(self) -> None:
        """Have all pages ready to be drawn: to compile one holds up the loop for up to 0.2 s."""
        for environment in self._environments.values():
            for name in environment.list_templates(filter_func=_is_ours):
                environment.get_template(name)

    def render(self, name: str, lang: str, **context: Any) -> str:
        """The page as text. `site`, a models.site.Site, is among the context of every page."""
        trace, began = TRACE.get(), perf_counter()
        text = self._environments[lang].get_template(name).render(**context)
        if trace is not None:
            trace.add("template", name, began)
        return text

    def translate(self, lang: str, message: str) -> str:
        return self._catalogues[lang].gettext(message)

    def number(self, lang: str, n: Decimal | int) -> str:
        """As it is written in a language."""
        return format_decimal(n, locale=_BABEL[lang])

    def size(self, lang: str, n: int) -> str:
        """So many bytes as people say it, in steps of 1,024 as in the API: "100 bytes", "33.7 kB"."""
        amount, unit = float(n), 0
        while amount >= 1023.95 and unit < len(_UNITS) - 1:  # what would be written as 1,024
            amount, unit = amount / 1024, unit + 1
        return format_unit(
            amount, f"digital-{_UNITS[unit]}", "short" if unit else "long", format="#,##0.#", locale=_BABEL[lang]
        )

    def name_routes(self, reverse_url: Callable[..., str]) -> None:
        """Called once, when the routes are known."""
        # Tornado quotes and matches anew at each call, and a list of ten posts has fifty links.
        url = lru_cache(8192)(reverse_url)
        for environment in self._environments.values():
            environment.globals["url"] = url

    def _environment(self, lang: str, settings: Settings, static: Callable[[str], str]) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            bytecode_cache=self._compiled, auto_reload=False,  # `plaza dev` starts anew when a template changes
        )  # fmt: skip
        environment.policies["ext.i18n.trimmed"] = True
        environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
        environment.install_gettext_translations(self._catalogues[lang], newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            lang=lang, html_lang=HTML_LANGUAGE[lang], static=static, script=script, timing_badge=settings.timing_badge,
            max_upload=settings.max_upload,
            # Babel takes 25 microseconds for a date, and a list shows ten; the same ones come again and again.
            when=lru_cache(8192)(lambda at: self._when(at, lang)),
            number=lru_cache(1024)(partial(self.number, lang)), size=lru_cache(1024)(partial(self.size, lang)),
        )  # fmt: skip
        return environment

    def _when(self, at: datetime, lang: str) -> Markup:
        """An absolute time in the site's zone; the script turns it into "3 hours ago"."""
        local = at.astimezone(self._zone)
        text = f"{format_date(local, 'long', locale=_BABEL[lang])} {local:%H:%M}"
        return Markup('<time datetime="{}">{}</time>').format(at.strftime("%Y-%m-%dT%H:%M:%SZ"), text)


def _is_ours(name: str) -> bool:
    """Mails are drawn elsewhere (content/letters.py)."""
    return not name.startswith("mails/")


def script(text: str) -> str:
    """The language that the script of a text's beginning shows: ja, zh-CN, or en for all else."""
    return "ja" if _KANA.search(text, 0, 60) else "zh-CN" if _HAN.search(text, 0, 60) else "en"
