"""Whether a migration only adds: the old code runs on with the new tables while `plaza deploy` goes from process to process, and
after a rollback."""

import re
from collections.abc import Iterator

# A line in a migration that takes something away which no code uses any more, and names the release that stopped using it.
CONTRACTS = re.compile(r"^-- contracts: \S", re.M)
WIDENS = re.compile(r"^-- widens: \S", re.M)  # a MODIFY or CHANGE after which all that fitted fits

_STRINGS = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"", re.S)
_COMMENTS = re.compile(r"--[^\n]*|#[^\n]*|/\*(?!!).*?\*/", re.S)
_ALTER = re.compile(r"ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(\w+)\s+(.*)", re.S | re.I)
_CREATED = re.compile(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.I)
_UNIQUE_INDEX = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?UNIQUE\s+INDEX\s.*?\sON\s+(\w+)", re.S | re.I)
_TAKES_AWAY = re.compile(r"(DROP|RENAME|TRUNCATE)\b", re.I)
_BINDS = re.compile(r"ADD\s+(?:CONSTRAINT\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|CHECK\b)", re.I)
_COLUMN = re.compile(
    r"ADD\s+(?!INDEX\b|KEY\b|FULLTEXT\b|SPATIAL\b|PARTITION\b)(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(.*)", re.S | re.I
)
_VALUE = re.compile(r"\b(?:DEFAULT|AUTO_INCREMENT|GENERATED|AS)\b", re.I)


def refusals(sql: str) -> list[str]:
    """What an older Plaza could not live with, one line each; empty for a migration that only adds."""
    if CONTRACTS.search(sql):
        return []
    sql = sql.replace("`", "")
    may_modify = bool(WIDENS.search(sql))
    bare = _COMMENTS.sub(" ", _STRINGS.sub("''", sql))
    new = {name.lower() for name in _CREATED.findall(bare)}
    return [
        said for statement in bare.split(";") for said in _of_statement(" ".join(statement.split()), new, may_modify)
    ]


def _of_statement(statement: str, new: set[str], may_modify: bool) -> Iterator[str]:
    if _TAKES_AWAY.match(statement):
        yield f"takes away what older code uses: {statement}"
    elif (index := _UNIQUE_INDEX.match(statement)) and index[1].lower() not in new:
        yield f"a new UNIQUE refuses what older code writes: {statement}"
    elif (alter := _ALTER.match(statement)) and alter[1].lower() not in new:
        for part in _parts(alter[2]):
            if said := _of_part(part, may_modify):
                yield f"{said}: ALTER TABLE {alter[1]} {part}"


def _of_part(part: str, may_modify: bool) -> str:
    if _TAKES_AWAY.match(part):
        return "takes away what older code uses"
    if re.match(r"(MODIFY|CHANGE|CONVERT|ALTER)\b", part, re.I) and not may_modify:
        return "may narrow a column (if it does not, say so: -- widens: ...)"
    if _BINDS.match(part):
        return "a new rule refuses what older code writes"
    if column := _COLUMN.match(part):
        for one in _parts(column[1].removeprefix("(").removesuffix(")")) if column[1].startswith("(") else [column[1]]:
            if re.search(r"\bUNIQUE\b|\bPRIMARY\b", one, re.I):
                return "a new rule refuses what older code writes"
            if re.search(r"\bNOT NULL\b", one, re.I) and not _VALUE.search(one):
                return "older code gives this column no value, and it has no DEFAULT"
    return ""


def _parts(text: str) -> list[str]:
    """Split at the commas outside parentheses."""
    depth, found = 0, [""]
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found if part.strip()]
