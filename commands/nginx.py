"""What Nginx reads: its configuration, the pages that it shows by itself, and whether it accepts them."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands import stored
from commands.places import binary, make_folders, render, values
from settings import Settings

# In one place for all that Nginx answers without the application.
HEADERS = """            add_header X-Content-Type-Options nosniff always;
            add_header Referrer-Policy strict-origin-when-cross-origin always;
            add_header X-Frame-Options DENY always;"""
ONLY_HTTPS = """
            add_header Strict-Transport-Security "max-age=31536000" always;"""
ERRORS = {
    400: {
        "en": ("This request cannot be understood", "Please go back and try again."),
        "zh": ("无法理解这个请求", "请返回后重试。"),
    },
    403: {
        "en": ("You may not see that", "This address answers only where the people who run the site have allowed it."),
        "zh": ("您无权查看", "只有在网站管理者允许的地方才能访问此地址。"),
    },
    405: {
        "en": ("That cannot be done here", "This address does not take what your program asked of it."),
        "zh": ("此处不支持该操作", "此地址不接受您的程序所请求的操作。"),
    },
    412: {
        "en": ("It is not as you expected", "It may have changed meanwhile. Please reload the page and try again."),
        "zh": ("内容与预期不符", "内容可能已经更改。请刷新页面后重试。"),
    },
    413: {
        "en": ("That is too large", "What you sent is larger than this site accepts. Please go back and shorten it."),
        "zh": ("内容过大", "您提交的内容超过了本站允许的大小。请返回并缩减内容。"),
    },
    414: {
        "en": ("That address is too long", "Please check the link that brought you here."),
        "zh": ("地址过长", "请检查您打开的链接。"),
    },
    429: {
        "en": ("Too much at once", "Your network sends too much at the same time. Please try again in a few seconds."),
        "zh": ("同时发送的内容过多", "您所在的网络同时发送的内容过多,请几秒钟后重试。"),
    },
    503: {
        "en": ("Back in a moment", "The site is being started or looked after. Please try again in a few seconds."),
        "zh": ("请稍候", "网站正在启动或维护,请几秒钟后重试。"),
    },
}


def command(settings: Settings) -> list[str]:
    """How Nginx is run; it stays in the foreground by its configuration."""
    configuration = f"{settings.var}/etc/nginx.conf"
    return [binary("nginx") or "nginx", "-e", "stderr", "-p", str(settings.var), "-c", configuration]


def refusal(settings: Settings) -> str:
    """What Nginx has against its configuration; empty when it accepts it."""
    done = subprocess.run([*command(settings), "-t", "-q"], capture_output=True, text=True, check=False)
    said = done.stderr.strip() if done.returncode else ""
    worst = [line for line in said.splitlines() if "[emerg]" in line]
    # `-t` tries the ports as well: one below 1024 is for whoever starts Nginx, a unit of systemd say, and not for us.
    return "" if worst and all(re.search(r"\bbind\(\) to .* \(13:", line) for line in worst) else said


def refusal_aside(settings: Settings) -> str:
    """What Nginx would have against the configuration of these settings, rendered into a folder of its own: what the running
    Nginx reads is left alone. Empty, or one line."""
    with tempfile.TemporaryDirectory(prefix="candidate-", dir=settings.var / "tmp") as folder:
        aside = Settings(**settings.model_dump(exclude_unset=True) | {"var": Path(folder)})
        make_folders(aside)
        try:
            render_files(aside)
            lines = refusal(aside).splitlines() or [""]
        finally:
            shutil.rmtree(aside.run, ignore_errors=True)  # it may be elsewhere, where the path of var is long
    return next((one for one in lines if "[emerg]" in one), lines[-1])


def is_read(settings: Settings) -> bool:
    """Whether Nginx has been told of its configuration, and of the certificate, as they are now; a restart that was cut short has
    not told it."""
    mark = settings.var / "etc" / "nginx.read"
    return mark.exists() and mark.read_text() == _digest(settings)


def mark_read(settings: Settings) -> None:
    """Nginx has been told."""
    (settings.var / "etc" / "nginx.read").write_text(_digest(settings))


def _digest(settings: Settings) -> str:
    names = [path for path in (settings.var / "etc").glob("*.conf") if path.name.startswith(("nginx", "proxy"))]
    found = hashlib.sha256()
    for path in (*sorted(names), settings.tls_cert, settings.tls_key):
        if path:
            found.update(path.read_bytes())
    return found.hexdigest()


def render_files(settings: Settings) -> bool:
    """Write what Nginx reads, its error pages too. True when its configuration changed."""
    headers = HEADERS + (ONLY_HTTPS if settings.tls_cert else "")
    filled = values(settings) | {"headers": headers, **_store(settings), "live": False, "edge": False}
    for status, texts in ERRORS.items():
        for language, (heading, message) in texts.items():
            page = {
                "html_lang": "zh-CN" if language == "zh" else "en",
                "heading": heading,
                "message": message,
                "back": "返回首页" if language == "zh" else "To the front page",
            }
            render("error.html", page, settings.var / "pages" / f"{status}.{language}.html", 0o644)
            answer = {"status": status, "message": message}
            render("error.json", answer, settings.var / "pages" / f"{status}.{language}.json", 0o644)
    render("error.css", {}, settings.var / "pages" / "error.css", 0o644)
    etc = settings.var / "etc"
    render("nginx.sh", {}, etc / "nginx.sh")
    changed = [
        render("proxy.conf", filled, etc / "proxy.conf"),
        render("proxy.conf", filled | {"edge": True}, etc / "proxy-edge.conf"),
        render("proxy.conf", filled | {"live": True}, etc / "proxy-live.conf"),
        render("nginx.conf", filled, etc / "nginx.conf"),
    ]
    return any(changed)


def _store(settings: Settings) -> dict[str, Any]:
    """What there is to know of the pages that Nginx stores, and of the processes that make them."""
    groups = stored.groups()
    sockets = [f"unix:{settings.run}/web-{number}.sock" for number in range(settings.web)]
    return {
        "edge_groups": groups,
        "edge_arguments": stored.arguments(groups),
        "page_keys": max(8, settings.page_cache // 32),  # MB; 8,000 keys in each, and pages of some 4 kB
        "edge_secret": settings.secret("edge"),
        "site_host": urlsplit(settings.site_url).netloc.lower(),
        "web_servers": settings.upstreams or sockets,
    }
