"""Program text to spans with the short class names of Pygments."""

from functools import cache
from html import escape
from time import thread_time

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token, _TokenType

# Only these are coloured: each was tried with long and hostile input, and the class names stay a closed set.
LANGUAGES = {
    "asm": "nasm", "nasm": "nasm", "bash": "bash", "sh": "bash", "shell": "bash", "zsh": "bash", "bat": "bat",
    "c": "c", "h": "c", "c++": "cpp", "cpp": "cpp", "cargo": "toml", "clojure": "clojure", "console": "console",
    "cs": "csharp", "csharp": "csharp", "css": "css", "dart": "dart", "diff": "diff", "patch": "diff",
    "docker": "docker", "dockerfile": "docker", "elixir": "elixir", "erlang": "erlang", "go": "go", "golang": "go",
    "haskell": "haskell", "html": "html", "http": "http", "ini": "ini", "java": "java", "javascript": "javascript",
    "js": "javascript", "json": "json", "kotlin": "kotlin", "llvm": "llvm", "lua": "lua", "make": "make",
    "makefile": "make", "mysql": "mysql", "nginx": "nginx", "ocaml": "ocaml", "php": "php", "powershell": "powershell",
    "properties": "properties", "py": "python", "python": "python", "python3": "python", "pycon": "pycon", "r": "r",
    "rb": "ruby", "ruby": "ruby",
    "rs": "rust", "rust": "rust", "scala": "scala", "sql": "sql", "swift": "swift", "toml": "toml", "ts": "typescript",
    "typescript": "typescript", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zig": "zig",
}  # fmt: skip

# Some lexers take the square of a text's length: looked at between their tokens, and a token is at most a few lines' work.
MOST_WORK = 0.3  # s of a thread; a usual block of 60,000 characters takes less
LONGEST_LINE = 2000  # characters

# Left without a span, to keep pages small: they look like plain text in any style sheet.
_PLAIN = frozenset({"", "n", "p", "pm", "w", "x", "l", "ld", "g", "esc", "err"})
CLASSES = frozenset(STANDARD_TYPES.values()) - _PLAIN


def language(info: str) -> str:
    """The language that a fence names ("rust,ignore" is rust), or "" when it is not one of ours."""
    name = info.strip().replace(",", " ").replace("{", " ").split(" ", 1)[0].lower()
    return name if name in LANGUAGES else ""


def highlight(source: str, name: str) -> str:
    """The source as safe HTML; name is one that `language` gave. What is too much work stays plain.

    Only beside MOST_WORK may a text be coloured at one time and plain at another; a stored one keeps what it was given.
    """
    if any(len(line) > LONGEST_LINE for line in source.split("\n")):
        return escape(source, quote=False)
    until = thread_time() + MOST_WORK
    parts: list[str] = []
    last, held = "", ""
    lexer = _lexer_class(LANGUAGES[name])(stripnl=False, ensurenl=False)
    for kind, text in lexer.get_tokens(source):
        if thread_time() > until:
            return escape(source, quote=False)
        css = _css(kind)
        if css != last:
            parts.append(_span(last, held))
            last, held = css, ""
        held += text
    parts.append(_span(last, held))
    return "".join(parts)


def _span(css: str, text: str) -> str:
    if css and text.strip():
        return f'<span class="{css}">{escape(text, quote=False)}</span>'
    return escape(text, quote=False)


@cache
def _css(kind: _TokenType) -> str:
    """The class of the nearest ancestor that has one."""
    while kind is not Token and kind not in STANDARD_TYPES:
        assert kind.parent is not None
        kind = kind.parent
    css = STANDARD_TYPES.get(kind, "")
    return "" if css in _PLAIN else css


@cache
def _lexer_class(name: str) -> type[Lexer]:
    """Not the lexer itself: some keep what they have read, and several threads render at once."""
    return type(get_lexer_by_name(name))
