"""The languages that people read the interface in, and what its texts are in each."""

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "zh")


@cache
def translations(lang: str) -> gettext.NullTranslations:
    """The catalogue of a language, read from its .po: no compiled files to keep. English is the text of the code itself."""
    path = ROOT / "locale" / lang / "LC_MESSAGES" / "plaza.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
