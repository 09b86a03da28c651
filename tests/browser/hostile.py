"""Texts that try to break a layout: long words, wide tables, deep lists, other scripts and directions."""

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ADDRESS = "https://example.org/" + "a-very-long-path-without-any-end/" * 8 + "?q=" + "x" * 120
TITLE = (LONG * 3)[:200]
NAME = "W" * 40
TAG = "o" * 40
CHINESE = "这座广场的每一块石头都写着一个故事而这个标题里没有任何空格或者标点符号所以浏览器必须自己决定在哪里换行"

_ROW = "| " + " | ".join(f"{LONG[:14]}{n}" for n in range(12)) + " |\n"
_LIST = "".join("  " * depth + f"- depth {depth} {LONG}\n" for depth in range(8))

BODY = f"""{LONG * 4}

## {LONG} {LONG}

{ADDRESS}

[{LONG * 2}]({ADDRESS}) and `{LONG * 3}` and **{LONG}**[^1].

{_ROW}{"| --- " * 12}|
{_ROW * 3}

```python
answer = "{"x" * 400}"  # {LONG}
```

{_LIST}

1. one
   1. two
      1. three
         - [x] {LONG}

> > > > {LONG * 2}

{LONG * 2}
: {ADDRESS}

---

[^1]: {ADDRESS}
"""

OTHER_SCRIPTS = f"""مرحبا بالعالم، هذه فقرة باللغة العربية تسير من اليمين إلى اليسار وفيها كلمة {LONG} طويلة.

שלום עולם 👩‍👩‍👧‍👦👨🏿‍🚀🏳️‍🌈 ยินดีต้อนรับสู่จัตุรัสของเราซึ่งไม่มีช่องว่างระหว่างคำเลย

{"👩‍🚀" * 80}

{"Z̷̡̢̛" * 40}

| العربية | 中文 | emoji |
| --- | --- | --- |
| {"كلمة" * 20} | {CHINESE} | {"🏳️‍🌈" * 20} |
"""

COMMENT = f"{LONG * 3} {ADDRESS}\n\n`{LONG * 3}`\n\n```\n{'y' * 300}\n```\n\n- {LONG}\n  - {LONG}\n    - {LONG}"
