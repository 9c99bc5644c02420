"""Reads just enough of a ClickHouse statement to serve it over HTTP: its kind, its FORMAT, and where its data begin.

Works on bytes without touching any server: an INSERT's data may follow the statement and be binary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

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


class SyntaxProblem(Exception):
    """A statement that this endpoint will not pass on; carries ClickHouse's error code."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name


OUTFILE = SyntaxProblem(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed over HTTP")


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
class Statement:
    """One statement: its text without FORMAT and end marks, the format, and the data that follow an INSERT."""

    text: bytes
    words: tuple[str, ...]
    """The first keywords, upper case."""
    format: str | None = None
    data_start: int | None = None
    """Where an INSERT's data begin in the source; None when it has none of its own."""
    source: tuple[int, int] | None = None
    """The span of `input(...)` in the text."""
    structure: bytes = b""
    """The quoted structure that `input` was called with."""

    @property
    def kind(self) -> str:
        return self.words[0] if self.words else ""

    def reading_from(self, path: str) -> bytes:
        """The text with `input(structure)` turned into `file(path, format, structure)`."""
        assert self.source is not None
        start, end = self.source
        inside = f"'{path}', {self.format}".encode() + (b", " + self.structure if self.structure else b"")
        return self.text[:start] + b"file(" + inside + b")" + self.text[end:]

    def writing_to(self, path: str, fmt: str) -> bytes:
        """The text with its result going to a file (or a pipe) in a format."""
        return self.text + f"\nINTO OUTFILE '{path}' APPEND FORMAT {fmt}".encode()


def parse(source: bytes) -> Statement:
    """Take one statement apart. Raises SyntaxProblem for several statements and for INTO OUTFILE."""
    first = next(_tokens(source), None)
    if first is not None and first.word == "INSERT":
        return _insert(source)
    tokens = list(_tokens(source))
    words = tuple(token.word for token in tokens[:4])
    if words[:1] == ("WITH",) and any(token.word == "INSERT" and not token.depth for token in tokens):
        return _insert(source)
    end, tokens = _until_end(source, tokens)
    for place, (token, following) in enumerate(pairwise(tokens)):
        if token.depth or token.kind != "word":
            continue
        if token.word == "INTO" and following.word == "OUTFILE":
            raise OUTFILE
        if token.word == "FORMAT" and following.kind == "word" and _ends_or_settings(tokens, place + 2):
            # The format is said again where the result is sent; settings may follow it.
            text = source[: token.start] + source[following.end : end]
            return Statement(text.strip(), words, following.text.decode("latin-1"))
    return Statement(source[:end].strip(), words)


def _insert(source: bytes) -> Statement:
    """INSERT with data behind FORMAT or VALUES, from SELECT, or from SELECT ... FROM input(...).

    Looks only backwards, and stops where data begin: they may be long, and are no SQL.
    """
    tokens: list[Token] = []
    selects = False
    call: tuple[int, int] | None = None
    structure = b""
    for token in _tokens(source):
        tokens.append(token)
        before = tokens[-2] if len(tokens) > 1 else token
        if token.text == b")" and (found := _input_call(tokens)):
            call, structure = found
        if token.depth or len(tokens) < 3:
            continue
        selects = selects or token.word in ("SELECT", "WITH")
        if before.word == "VALUES" and not before.depth and not selects and token.text == b"(":
            return Statement(source[: before.start].rstrip(), _words(tokens), "Values", before.end)
        if token.word == "OUTFILE" and before.word == "INTO":
            raise OUTFILE
        if token.word == "INFILE" and before.word == "FROM":
            raise SyntaxProblem(48, "NOT_IMPLEMENTED", "FROM INFILE is not allowed over HTTP: send the data as the body")
        if before.word == "FORMAT" and not before.depth and token.kind == "word":
            rest = AFTER_FORMAT.match(source, token.end)
            line_ends = rest is not None and (rest.group(1) is not None or rest.end() == len(source))
            if selects and not (line_ends and (call or not source[rest.end() if rest else 0 :].strip())):
                continue  # a column or an alias that is called format
            start = rest.end() if rest and (call or not selects) else None
            text = source[: before.start].rstrip()
            return Statement(text, _words(tokens), token.text.decode("latin-1"), start, call, structure)
    if call is not None:
        raise SyntaxProblem(62, "SYNTAX_ERROR", "input() needs the FORMAT of its data at the end of the statement")
    if tokens and tokens[-1].word == "VALUES" and not selects:
        return Statement(source[: tokens[-1].start].strip(), _words(tokens), "Values", len(source))
    end, _ = _until_end(source, tokens)
    return Statement(source[:end].strip(), _words(tokens))


def _input_call(tokens: list[Token]) -> tuple[tuple[int, int], bytes] | None:
    """`FROM input('structure')` or `FROM input()` that ends with the last token: its span and its structure."""
    length = 4 if len(tokens) > 4 and tokens[-2].kind == "string" else 3
    name = tokens[-length] if len(tokens) > length else None
    if name is None or name.word != "INPUT" or tokens[-length + 1].text != b"(":
        return None
    if tokens[-length - 1].word not in ("FROM", "JOIN"):
        return None
    return (name.start, tokens[-1].end), tokens[-2].text if length == 4 else b""


def _tokens(source: bytes) -> Iterator[Token]:
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


def _words(tokens: list[Token]) -> tuple[str, ...]:
    return tuple(token.word for token in tokens[:4])


def _until_end(source: bytes, tokens: list[Token]) -> tuple[int, list[Token]]:
    """Where the statement ends, and its tokens; more than end marks behind it is a second statement."""
    for place, token in enumerate(tokens):
        if token.text == b";":
            if any(other.text != b";" for other in tokens[place:]):
                raise SyntaxProblem(62, "SYNTAX_ERROR", "Multi-statements are not allowed")
            return token.start, tokens[:place]
    return len(source), tokens


def _ends_or_settings(tokens: list[Token], place: int) -> bool:
    return place >= len(tokens) or (tokens[place].word == "SETTINGS" and not tokens[place].depth)

