"""Finished HTML for readers elsewhere: links and images with whole addresses, and the first image of a text.

It reads what the sanitiser wrote: `<` begins a tag and nothing else, and every value stands in double quotes.
"""

import re
from html import escape, unescape
from urllib.parse import urljoin

_TAG = re.compile(r'<(?:a|img)\s(?:[^"<>]|"[^"]*")*>')
# One attribute after another, so that a value that looks like an attribute is passed over as the value it is.
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_ADDRESSES = frozenset({"href", "src"})
_BEGINNING = 50_000  # characters in which a text's picture is looked for


def absolute(html: str, base: str) -> str:
    """The HTML with every address resolved against `base`; one that cannot be resolved stays."""

    def resolved(attribute: re.Match[str]) -> str:
        name, value = attribute[1], attribute[2]
        return f'{name}="{escape(_joined(base, unescape(value)))}"' if name in _ADDRESSES else attribute[0]

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(resolved, tag[0]), html)


def first_image(html: str, base: str) -> str:
    """The whole address of the first image that other sites can show; "" where there is none."""
    for tag in _TAG.finditer(html, 0, _BEGINNING):
        if tag[0].startswith("<img"):
            address = _joined(base, unescape(dict(_ATTRIBUTE.findall(tag[0])).get("src", "")))
            if address.startswith(("https://", "http://")) and address != base:
                return address
    return ""


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # as of "//[": no address at all
        return address
