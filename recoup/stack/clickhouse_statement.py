"""Reads just enough of a ClickHouse statement to serve it over HTTP: its kind, its FORMAT, and where its data begin.

Works on bytes without touching any server: an INSERT's data may follow the statement and be binary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from recoup.stack.clickhouse_errors import ClickHouseError

TOKEN = re.compile(
    rb"""
      (?P<space>\s+ | --[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<name>`(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*")
    | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<number>\d[\w.]*)
    | (?P<word>[A-Za-z_\x80-\xff][\w\x80-\xff$]*)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
AFTER_FORMAT = re.compile(rb"[ \t]*;?[ \t]*(\r?\n)?")
"""What stands between a format's name and the data; binary data may begin with anything, so only one line end."""

OUTFILE = (358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed over HTTP")
INFILE = (48, "NOT_IMPLEMENTED", "FROM INFILE is not allowed over HTTP: send the data as the body")
NO_FORMAT = (62, "SYNTAX_ERROR", "input() needs the FORMAT of its data at the end of the statement")
SEVERAL = (62, "SYNTAX_ERROR", "Multi-statements are not allowed")


@dataclass(frozen=True)
class Token:
    """A piece of SQL; comments and white space are left out."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        """The keyword that this may be; empty for anything that is quoted or no word."""
        return self.text.decode("latin-1").upper() if self.kind == "word" else ""


@dataclass(frozen=True)
class InputCall:
    """`input('structure')` in the place of a table: its span in the text, and the quoted structure."""

    start: int
    end: int
    structure: bytes


@dataclass(frozen=True)
class Statement:
    """One statement: its text without FORMAT and end marks, the format, and where the data of an INSERT begin."""

    text: bytes
    words: tuple[str, ...]
    """The first keywords, upper case."""
    format: str | None = None
    data_start: int | None = None
    """Where an INSERT's data begin in the source; None when it has none of its own."""
    input: InputCall | None = None

    @property
    def kind(self) -> str:
        """The first keyword."""
        return self.words[0] if self.words else ""

    def reading_from(self, path: str, call: InputCall) -> bytes:
        """The text with `input(structure)` turned into `file(path, format, structure)`."""
        inside = f"'{path}', {self.format}".encode() + (b", " + call.structure if call.structure else b"")
        return self.text[: call.start] + b"file(" + inside + b")" + self.text[call.end :]

    def writing_to(self, path: str, fmt: str) -> bytes:
        """The text with its result going to a file (or a pipe) in a format."""
        return self.text + f"\nINTO OUTFILE '{path}' APPEND FORMAT {fmt}".encode()

    def names_set(self) -> list[str]:
        """The settings that a SET statement sets."""
        return [
            name.text.decode("latin-1").strip("`") for name, sign in pairwise(tokens(self.text)) if sign.text == b"="
        ]

    def last_name(self) -> str:
        """The last name of a statement such as USE."""
        return [token.text.decode(errors="surrogateescape") for token in tokens(self.text)][-1].strip('`"')

    def engine(self) -> str:
        """The table engine that a CREATE names, or nothing."""
        words = [token.word or token.text.decode("latin-1") for token in tokens(self.text) if not token.depth]
        for place, word in enumerate(words[:-1]):
            if word == "ENGINE":
                return words[place + 2] if words[place + 1] == "=" and place + 2 < len(words) else words[place + 1]
        return ""

    def renamed(self, name: bytes, by: bytes) -> bytes:
        """The text with every unquoted `name` replaced."""
        text, place = b"", 0
        for token in tokens(self.text):
            if token.text == name:
                text, place = text + self.text[place : token.start] + by, token.end
        return text + self.text[place:]


def parse(source: bytes) -> Statement:
    """Take one statement apart.

    Raises:
        ClickHouseError: several statements, or one that would read or write the server's files.
    """
    first = next(tokens(source), None)
    if first is not None and first.word == "INSERT":
        return _insert(source)
    found = list(tokens(source))
    if (
        first is not None
        and first.word == "WITH"
        and any(token.word == "INSERT" and not token.depth for token in found)
    ):
        return _insert(source)
    end, found = _until_end(source, found)
    for place, (token, following) in enumerate(pairwise(found)):
        if token.depth or token.kind != "word":
            continue
        if token.word == "INTO" and following.word == "OUTFILE":
            raise ClickHouseError(*OUTFILE)
        if token.word == "FORMAT" and following.kind == "word" and _ends_or_settings(found, place + 2):
            # The format is said again where the result is sent; settings may follow it.
            text = source[: token.start] + source[following.end : end]
            return Statement(text.strip(), _words(found), following.text.decode("latin-1"))
    return Statement(source[:end].strip(), _words(found))


def tokens(source: bytes) -> Iterator[Token]:
    """The pieces of SQL, as they are asked for."""
    depth = 0
    for match in TOKEN.finditer(source):
        kind = match.lastgroup or "mark"
        if kind == "space":
            continue
        text = match.group()
        if text in (b")", b"]", b"}"):
            depth = max(0, depth - 1)
        yield Token("heredoc" if kind == "tag" else kind, text, match.start(), match.end(), depth)
        if text in (b"(", b"[", b"{"):
            depth += 1


def _insert(source: bytes) -> Statement:
    """INSERT with data behind FORMAT or VALUES, from SELECT, or from SELECT ... FROM input(...).

    Looks only backwards, and stops where data begin: they may be long, and are no SQL.
    """
    found: list[Token] = []
    selects = False
    call: InputCall | None = None
    for token in tokens(source):
        found.append(token)
        before = found[-2] if len(found) > 1 else token
        if token.text == b")":
            call = _input_call(found) or call
        if token.depth or len(found) < 3:
            continue
        selects = selects or token.word in ("SELECT", "WITH")
        if token.text == b"(" and before.word == "VALUES" and not selects:
            return Statement(source[: before.start].rstrip(), _words(found), "Values", before.end)
        if before.word == "INTO" and token.word == "OUTFILE":
            raise ClickHouseError(*OUTFILE)
        if before.word == "FROM" and token.word == "INFILE":
            raise ClickHouseError(*INFILE)
        if before.word == "FORMAT" and not before.depth and token.kind == "word":
            data = _data_start(source, token.end, selects=selects, call=call)
            if data is not None:
                start = data if call or not selects else None
                text = source[: before.start].rstrip()
                return Statement(text, _words(found), token.text.decode("latin-1"), start, call)
    if call is not None:
        raise ClickHouseError(*NO_FORMAT)
    if found and found[-1].word == "VALUES" and not selects:
        return Statement(source[: found[-1].start].rstrip(), _words(found), "Values", len(source))
    end, _ = _until_end(source, found)
    return Statement(source[:end].rstrip(), _words(found))


def _data_start(source: bytes, place: int, *, selects: bool, call: InputCall | None) -> int | None:
    """Where the data behind `FORMAT name` begin; None when this was a column or an alias that is called format."""
    rest = AFTER_FORMAT.match(source, place)
    start = rest.end() if rest else place
    if not selects:
        return start
    line_ends = start == len(source) or (rest is not None and rest.group(1) is not None)
    return start if line_ends and (call is not None or not source[start:].strip()) else None


def _input_call(found: list[Token]) -> InputCall | None:
    """`FROM input('structure')` or `FROM input()` that ends with the last token."""
    length = 4 if len(found) > 4 and found[-2].kind == "string" else 3
    if len(found) <= length or found[-length].word != "INPUT" or found[-length + 1].text != b"(":
        return None
    if found[-length - 1].word not in ("FROM", "JOIN"):
        return None
    return InputCall(found[-length].start, found[-1].end, found[-2].text if length == 4 else b"")


def _until_end(source: bytes, found: list[Token]) -> tuple[int, list[Token]]:
    """Where the statement ends, and its tokens; more than end marks behind it is a second statement."""
    for place, token in enumerate(found):
        if token.text == b";":
            if any(other.text != b";" for other in found[place:]):
                raise ClickHouseError(*SEVERAL)
            return token.start, found[:place]
    return len(source), found


def _words(found: list[Token]) -> tuple[str, ...]:
    return tuple(token.word for token in found[:4])


def _ends_or_settings(found: list[Token], place: int) -> bool:
    return place >= len(found) or (found[place].word == "SETTINGS" and not found[place].depth)
