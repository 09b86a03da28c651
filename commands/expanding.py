"""Whether a migration only adds: the old code runs on with the new tables while `plaza deploy` goes from process to process, and
after a rollback. What is let through is of a short list of forms; whatever else there is in SQL is refused."""

import re
from collections.abc import Iterator

# A line in a migration that takes something away which no code uses any more, and names the release that stopped using it.
CONTRACTS = re.compile(r"^-- contracts: \S", re.M)
WIDENS = re.compile(r"^-- widens: \S", re.M)  # a MODIFY or CHANGE after which all that fitted fits

FORMS = (
    "CREATE TABLE name (...), CREATE INDEX name ON table (...), ALTER TABLE name ADD COLUMN ... or ADD KEY ..., INSERT INTO, "
    "UPDATE; what the old code does not use any more may go in a migration that says so: -- contracts: ..."
)

# Read from the left, for each of them may hold what looks like the others. A comment that begins with ! or M! is carried out.
_TOKENS = re.compile(
    r"(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")|"
    r"(?P<comment>--(?=\s|$)[^\n]*|#[^\n]*|/\*(?!M?!).*?\*/)|`(?P<name>\w+)`",
    re.S,
)
_TABLE = re.compile(r"CREATE TABLE (IF NOT EXISTS )?(\w+) ?\(", re.I)
_INDEX = re.compile(r"CREATE (?:(UNIQUE) |FULLTEXT |SPATIAL )?INDEX (?:IF NOT EXISTS )?\w+ ON (\w+) ?\(", re.I)
_ALTER = re.compile(r"ALTER (?:ONLINE )?TABLE (\w+) (.+)", re.I)
_ROWS = re.compile(r"INSERT (?:IGNORE )?INTO |UPDATE .+? SET ", re.I)
_TAKES_AWAY = re.compile(r"(?:DROP|RENAME|TRUNCATE|DELETE|REPLACE)\b", re.I)
_REFERENCES = re.compile(r"\bREFERENCES (\w+)", re.I)

_KEY = re.compile(r"ADD (?:FULLTEXT |SPATIAL )?(?:INDEX|KEY)\b", re.I)
_HOW = re.compile(r"(?:ALGORITHM|LOCK) ?=? ?\w+$", re.I)
_BINDS = re.compile(r"ADD (?:CONSTRAINT|UNIQUE|PRIMARY|FOREIGN|CHECK)\b", re.I)
_WIDER = re.compile(
    r"MODIFY |CHANGE (?:COLUMN )?(\w+) \1 |ALTER (?:COLUMN )?\w+ SET DEFAULT |CONVERT TO CHARACTER SET ", re.I
)
_CHANGES = re.compile(r"(?:MODIFY|CHANGE|CONVERT|ALTER)\b", re.I)
_COLUMN = re.compile(r"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(.+)", re.I)
_DEFINED = re.compile(
    r"\w+ (?:(?:TINY|SMALL|MEDIUM|BIG)?INT|INTEGER|DECIMAL|NUMERIC|FLOAT|DOUBLE|BOOL|BOOLEAN|BIT|(?:VAR)?(?:CHAR|BINARY)|"
    r"(?:TINY|MEDIUM|LONG)?(?:TEXT|BLOB)|DATE|TIME|DATETIME|TIMESTAMP|YEAR|ENUM|SET|JSON)\b",
    re.I,
)
_RULE = re.compile(r"\b(?:UNIQUE|PRIMARY|KEY|CHECK|CONSTRAINT|REFERENCES)\b", re.I)
_VALUE = re.compile(r"\b(?:DEFAULT|AUTO_INCREMENT|GENERATED|AS)\b", re.I)

_GONE = "takes away what older code uses"
_BOUND = "a new rule refuses what older code writes"
_UNKNOWN = f"is of no form of which it is known that it only adds ({FORMS})"


def refusals(sql: str) -> list[str]:
    """What an older Plaza could not live with, one line each; empty for a migration that only adds."""
    if CONTRACTS.search(sql):
        return []
    may_widen, new = bool(WIDENS.search(sql)), set[str]()
    statements = (" ".join(one.split()) for one in _TOKENS.sub(_bare, sql).split(";"))
    return [said for statement in statements if statement for said in _of_statement(statement, new, may_widen)]


def _bare(token: re.Match[str]) -> str:
    if token["comment"]:
        return " "
    return token["name"] or "''"


def _of_statement(statement: str, new: set[str], may_widen: bool) -> Iterator[str]:
    """`new`: the tables that the statements before have made, to which it adds; of them no older code knows."""
    table = _TABLE.match(statement)
    if table and not table[1]:
        new.add(table[2].lower())
    if "/*" in statement:  # what is carried out by some servers, and not by others
        yield f"{_UNKNOWN}: {statement}"
        return
    bound = [name for name in _REFERENCES.findall(statement) if name.lower() not in new]
    if bound:
        yield f"{_BOUND}: {statement}"
    elif index := _INDEX.match(statement):
        if index[1] and index[2].lower() not in new:
            yield f"{_BOUND}: {statement}"
    elif alter := _ALTER.match(statement):
        for part in _parts(alter[2]) if alter[1].lower() not in new else ():
            if said := _of_part(part, may_widen):
                yield f"{said}: ALTER TABLE {alter[1]} {part}"
    elif _TAKES_AWAY.match(statement):
        yield f"{_GONE}: {statement}"
    elif not (table or _ROWS.match(statement)):
        yield f"{_UNKNOWN}: {statement}"


def _of_part(part: str, may_widen: bool) -> str:
    if _KEY.match(part) or _HOW.match(part):
        return ""
    if _TAKES_AWAY.match(part):
        return _GONE
    if _BINDS.match(part):
        return _BOUND
    if _CHANGES.match(part):
        if may_widen and _WIDER.match(part):
            return _BOUND if _RULE.search(part) else ""
        return "may narrow a column or name it anew (if it only widens one, say so: -- widens: ...)"
    if column := _COLUMN.match(part):
        of_one = [column[1]]
        if column[1].startswith("("):
            of_one = _parts(column[1].removeprefix("(").removesuffix(")"))
        return next((said for one in of_one if (said := _of_column(one))), "")
    return _UNKNOWN


def _of_column(defined: str) -> str:
    if not _DEFINED.match(defined):
        return _UNKNOWN
    if _RULE.search(defined):
        return _BOUND
    if re.search(r"\bNOT NULL\b", defined, re.I) and not _VALUE.search(defined):
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
