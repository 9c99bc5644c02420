"""Reads for a person: nothing can be written, nothing runs for ever, and every failure says what to do about it."""

import difflib
import io
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from connectors.clickhouse.catalogue import catalogue
from connectors.clickhouse.client import ABOUT_THE_STATEMENT, code_of, connect, explain, named
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.statements import statement
from schemas.errors import BadInput, NotReady

READ_ONLY = 2
"""Nothing may be written; settings of a query may be given."""
ROWS = "JSONCompactEachRowWithNamesAndTypes"
AS_JSON = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 0,
    "output_format_json_validate_utf8": 1,  # the bytes of a refused message may be no text
}
CHUNK_BYTES = 1 << 18
CUT = b"__exception__"
"""What a server writes behind rows that it has sent, when it fails after all."""
LONGEST_MESSAGE = 500

_PLACE = re.compile(r"\{(\w+)\s*:\s*(\w+)")
_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)
_NOISE = re.compile(
    r"^(?:Code: \d+\. )?DB::Exception: |\s*\(version [^)]*\).*$|\s*\(for url .*$|: In scope .*$|\. In scope .*$"
)
_TABLE = re.compile(r"(?:identifier|[Tt]able) [`']?(?:\w+\.)?(\w+)[`']?")


class Answer(msgspec.Struct):
    """What a statement found."""

    names: list[str]
    types: list[str]
    """As ClickHouse calls them, such as `Nullable(Int64)`."""
    rows: Iterator[list[Any]]
    """As they arrive; instants and days as text, 64-bit and decimal numbers as numbers."""


class Reading:
    """One connection for one statement at a time. Usable in `with`.

    Args:
        settings: where the server is.
        seconds: how long a statement may run.

    Raises:
        NotReady: the server does not answer.
    """

    def __init__(self, settings: ClickHouseSettings, *, seconds: float) -> None:
        self.settings = settings
        self.seconds = seconds
        self.query_id = ""
        self._client = connect(settings, answer_seconds=seconds + 10.0)
        self._response: Any = None

    def rows(self, sql: str, parameters: Mapping[str, str]) -> Answer:
        """Run a statement; its rows are read as they are asked for.

        Raises:
            BadInput: the statement is wrong, writes, takes too long, or a place and a value do not belong together.
            NotReady: the server does not answer.
        """
        lines = self._lines(sql, self.stream(sql, parameters, ROWS, AS_JSON))
        names, types = next(lines, []), next(lines, [])
        return Answer(names=names, types=types, rows=lines)

    def stream(
        self, sql: str, parameters: Mapping[str, str], fmt: str, settings: Mapping[str, int] | None = None
    ) -> Iterator[bytes]:
        """Run a statement; its answer in a format of ClickHouse, in pieces. What fails later ends the answer with CUT.

        Raises:
            BadInput, NotReady: as `rows`.
        """
        sql = sql.strip().rstrip(";").rstrip()
        _check(sql, parameters)
        self.query_id = str(uuid.uuid4())
        limits: dict[str, Any] = {"query_id": self.query_id, "max_execution_time": math.ceil(self.seconds)}
        if self._client.server_settings["readonly"].value == "0":
            limits["readonly"] = READ_ONLY
        try:
            self._response = self._client.raw_stream(sql, dict(parameters), limits | dict(settings or {}), fmt)
        except ClickHouseError as error:
            raise self._told(error, sql) from None
        return _pieces(self._response)

    def progress(self) -> tuple[int, int] | None:
        """Rows that the running statement has read, and about how many it has to; None when it does not run.

        Asked on a connection of its own, while another thread waits for the statement.
        """
        try:
            with connect(self.settings) as client:
                found = client.query(statement("running_query", id=self.query_id)).result_rows
        except (ClickHouseError, NotReady, OSError):
            return None  # an analyst may not be allowed to look; the statement itself says what fails
        return (int(found[0][0]), int(found[0][1])) if found else None

    def stop(self) -> None:
        """Let go of an answer that is not read to its end; the server stops working on it."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def close(self) -> None:
        """Let the connection go."""
        self.stop()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def failure(self, tail: bytes, sql: str) -> BadInput | NotReady:
        """What a server meant that broke off; `tail` is what it sent last."""
        _, _, after = tail.partition(CUT)
        text = after.decode(errors="replace")
        if found := re.search(r"Code: (\d+)\. (DB::Exception: .*)", text, re.DOTALL):
            return self._says(int(found[1]), found[2].partition("\n")[0], sql)
        return NotReady(f"ClickHouse at {self.settings.url} broke off before the answer was whole. Try again.")

    def _lines(self, sql: str, pieces: Iterator[bytes]) -> Iterator[list[Any]]:
        decode = msgspec.json.Decoder(list[Any]).decode
        rest = b""
        for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(CUT):
                    whole = b"\n".join([*lines[lines.index(line) :], rest, *pieces])
                    raise self.failure(whole, sql)
                if line.strip():
                    yield decode(line)
        if rest.strip():
            raise self.failure(rest, sql)

    def _told(self, error: ClickHouseError, sql: str) -> BadInput | NotReady:
        code = code_of(error)
        if code is None:
            return NotReady(
                f"ClickHouse at {self.settings.url}: {explain(error)}. `recoup status` says whether it runs."
            )
        return self._says(code, str(error).partition("DB::Exception: ")[2], sql)

    def _says(self, code: int, message: str, sql: str) -> BadInput | NotReady:
        says = _plain(message)
        match code:
            case 164:
                return BadInput(
                    self._syntax(sql) or "Only reading is possible here: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN."
                )
            case 60 | 81:
                return BadInput(f"{says}{self._near(says)}")
            case 159 | 160:
                return BadInput(
                    f"It took longer than {self.seconds:g} s. Ask for less, such as fewer days, or give it more time with"
                    " --timeout."
                )
            case 158 | 241 | 307:
                return BadInput(
                    f"It would read or hold too much: {says}. Ask for less, such as one tenant and fewer days."
                )
            case 497:
                return BadInput(f"{self.settings.username} may not read this: {says}.")
            case _:
                told = says if code in ABOUT_THE_STATEMENT else named(code, message)
                return BadInput(f"ClickHouse refuses the statement: {told}.")

    def _syntax(self, sql: str) -> str | None:
        """What is wrong with the words of a statement; None when it is only not for reading."""
        try:
            self._client.query(f"EXPLAIN AST {sql}")
        except ClickHouseError as error:
            return _plain(str(error).partition("DB::Exception: ")[2]) if code_of(error) == 62 else None
        return None

    def _near(self, says: str) -> str:
        """Names that come near to one that is not known."""
        if "Maybe you meant" in says or not (found := _TABLE.search(says)):
            return ""
        try:
            names = [relation.name for relation in catalogue(self._client, self.settings.database)]
        except ClickHouseError:
            return ""
        near = difflib.get_close_matches(found[1], names, n=3)
        return f" Did you mean {' or '.join(near)}?" if near else " `SHOW TABLES` names what there is."


def _check(sql: str, parameters: Mapping[str, str]) -> None:
    if not sql:
        raise BadInput("There is no statement.")
    if _FORMAT.search(sql):
        raise BadInput("Leave FORMAT out of the statement: --format says how the answer is shown.")
    places(sql, parameters, "--param {}=VALUE.")


def places(sql: str, parameters: Mapping[str, Any], giving: str) -> dict[str, str]:
    """The places of a statement and their types, such as `Date`.

    Args:
        giving: how a value is given, `{}` for its name.

    Raises:
        BadInput: a place has no value, or a value no place.
    """
    found: dict[str, str] = dict(_PLACE.findall(sql))
    if missing := sorted(found.keys() - parameters.keys()):
        raise BadInput(
            f"The statement has a place {{{missing[0]}:...}} and no value for it: {giving.format(missing[0])}"
        )
    if unused := sorted(parameters.keys() - found.keys()):
        raise BadInput(
            f"The statement has no place for {unused[0]}: write {{{unused[0]}:String}}, or another type, where it goes."
        )
    return found


def _pieces(response: io.IOBase) -> Iterator[bytes]:
    """Raises NotReady when the connection breaks."""
    try:
        while piece := response.read(CHUNK_BYTES):
            yield piece
    except (HTTPError, OSError) as error:
        raise NotReady(
            f"The answer broke off ({type(error).__name__}): `recoup status` says whether it runs."
        ) from error
    finally:
        response.close()


def _plain(message: str) -> str:
    """A server's message without what is for its developers."""
    text = " ".join(message.split())
    while (shorter := _NOISE.sub("", text)) != text:
        text = shorter
    text = re.sub(r"\s*\([A-Z][A-Z0-9_]{3,}\)", "", text).strip().rstrip(".")
    return text[:LONGEST_MESSAGE] + (" ..." if len(text) > LONGEST_MESSAGE else "")
