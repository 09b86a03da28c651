"""The allow-list: the last thing that happens to every body, whatever came before."""

import re

import nh3

from content.headings import LONGEST_ID, RESERVED
from content.highlight import CLASSES, LANGUAGES
from content.polls import NUMBER

POST_REL = "nofollow noopener"
COMMENT_REL = "nofollow noopener ugc"
_SCHEMES = {"http", "https", "mailto"}
_DROPPED_WHOLE = {
    "script",
    "style",
    "template",
    "noembed",
    "noframes",
    "iframe",
    "object",
    "svg",
    "math",
    "title",
    "textarea",
    "select",
}
_FOOTNOTE_ID = re.compile(r"fn(ref)?-\d{1,6}(-\d{0,6})?")
_ID = re.compile(r"[\w.:-]+")
_FIRST_PART = re.compile(r"[/?#]")
_NUMBER = re.compile(r"\d{1,5}(\.\d{1,4})?%?")
_NUMERIC = ("width", "height", "colspan", "rowspan", "start", "value", "max")
_NUMBERS = dict.fromkeys(_NUMERIC, _NUMBER) | {"data-poll": NUMBER}

_COMMENT_TAGS = {"p", "br", "em", "strong", "s", "a", "code", "pre", "div", "span", "ul", "ol", "li", "blockquote"}
_POST_TAGS = _COMMENT_TAGS | {
    "h2", "h3", "h4", "h5", "h6", "hr", "img", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption",
    "sup", "sub", "section", "input", "label", "b", "i", "u", "del", "ins", "mark", "small", "kbd", "samp", "var",
    "abbr", "cite", "q", "dl", "dt", "dd", "figure", "figcaption", "aside", "details", "summary", "progress",
    "ruby", "rt", "rp", "wbr", "time",
}  # fmt: skip
_CODE_CLASSES = {"div": {"highlight"}, "span": set(CLASSES), "code": {f"language-{name}" for name in LANGUAGES}}
_FOCUSABLE = {"pre": {"tabindex": "0"}}  # a block that scrolls must be reachable by keyboard
_POST_CLASSES = _CODE_CLASSES | {
    "div": {"highlight", "table"},
    "a": {"anchor", "footnote-backref"}, "sup": {"footnote-ref"}, "section": {"footnotes"}, "ul": {"tasks"},
    "ol": {"tasks"}, "li": {"task"}, "p": {"poll"},
}  # fmt: skip


def _relative(url: str) -> str | None:
    """The address, unless its first part has a colon: RFC 3986 forbids that, for it could be taken for a scheme."""
    return None if ":" in _FIRST_PART.split(url, 1)[0] else url


def clean_post(html: str) -> str:
    """The body of a post; of equal ids the first stays, and the page's own are refused."""
    seen: set[str] = set()

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "id":
            # A form knows its fields by id too, and the editor shows the text inside its own form.
            fit = tag != "input" and len(value) <= LONGEST_ID + 10 and _ID.fullmatch(value) and value not in seen
            if not fit or (RESERVED.fullmatch(value) and not _FOOTNOTE_ID.fullmatch(value)):
                return None
            seen.add(value)
        elif attribute in _NUMBERS and not _NUMBERS[attribute].fullmatch(value):
            return None
        return value

    return nh3.clean(
        html,
        tags=_POST_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes={
            "*": {"id", "title", "lang", "dir"},
            "a": {"href", "data-poll"},
            "img": {"src", "alt", "width", "height"},
            "ol": {"start", "reversed"},
            "li": {"value"},
            "td": {"colspan", "rowspan"},
            "th": {"colspan", "rowspan"},
            "progress": {"value", "max"},
            "details": {"open"},
            "time": {"datetime"},
            "input": {"checked", "disabled"},
        },
        tag_attribute_values={
            "a": {"rel": {POST_REL}},
            "div": {"tabindex": {"0"}},
            "input": {"type": {"checkbox"}},
            "td": {"align": {"left", "center", "right"}},
            "th": {"align": {"left", "center", "right"}, "scope": {"col", "row"}},
        },
        set_tag_attribute_values=_FOCUSABLE | {"img": {"loading": "lazy"}, "input": {"disabled": ""}},
        allowed_classes=_POST_CLASSES,
        attribute_filter=keep,
        url_schemes=_SCHEMES,
        url_relative=_relative,
        link_rel=None,
    )


def clean_comment(html: str) -> str:
    """The body of a comment: no ids, no images, no headings, no tables."""
    return nh3.clean(
        html,
        tags=_COMMENT_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        tag_attribute_values={"a": {"rel": {COMMENT_REL}}},
        set_tag_attribute_values=_FOCUSABLE,
        allowed_classes=_CODE_CLASSES,
        url_schemes=_SCHEMES,
        url_relative=_relative,
        link_rel=None,
    )
