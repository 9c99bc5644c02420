"""Turns every failure of the endpoint into ClickHouse's own form: a code, a name, and the HTTP status that fits it."""

import re

CODE = re.compile(r"Code: (\d+)\. DB::Exception: .*", re.DOTALL)
NAME = re.compile(r"\((\w+)\)\s*$")

STD_EXCEPTION = 1001

MALFORMED = (6, 25, 26, 27, 38, 41, 62, 72, 117, 376, 427, 441, 675, 676)
NOT_FITTING = (8, 15, 36, 37, 44, 53, 123, 167, 168, 223, 321)
UNKNOWN_THINGS = (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 372, 511)

STATUS: dict[int, int] = {
    194: 401,
    **dict.fromkeys((192, 193, 497, 512, 516), 403),
    **dict.fromkeys((*MALFORMED, *NOT_FITTING), 400),
    **dict.fromkeys(UNKNOWN_THINGS, 404),
    229: 413,
    48: 501,
    **dict.fromkeys((76, 202, 209, 439), 503),
    381: 411,
    159: 408,
    779: 415,
}
"""Error code -> HTTP status, as ClickHouse's server maps them; every other code is 500."""

HINTS = (
    (
        re.compile(r"system\.\w+_log\b"),
        "This local endpoint keeps no system logs; its own log file has the failed statements.",
    ),
    (
        re.compile(r"ZooKeeper|Keeper"),
        "This local endpoint is a single node without Keeper; use MergeTree engines here.",
    ),
)


class ClickHouseError(Exception):
    """A failure as ClickHouse tells it."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status of an answer that carries it."""
        return STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body of that answer."""
        return f"Code: {self.code}. DB::Exception: {self.message} ({self.name}) (version {version} (chDB))\n"


def failure(error: BaseException) -> ClickHouseError:
    """Any exception as ClickHouse would tell it; what chDB raised has its code in the text."""
    if isinstance(error, ClickHouseError):
        return error
    found = CODE.search(str(error))
    if found is None:
        return ClickHouseError(STD_EXCEPTION, "STD_EXCEPTION", str(error) or type(error).__name__)
    text = found.group().strip()
    name = NAME.search(text)
    message = text[text.index("DB::Exception: ") + len("DB::Exception: ") : name.start() if name else None].strip()
    for pattern, hint in HINTS:
        if pattern.search(message):
            message = f"{message.rstrip('.')}. {hint}"
    return ClickHouseError(int(found.group(1)), name.group(1) if name else "UNKNOWN", message)


def not_supported(what: str) -> ClickHouseError:
    """For what the embedded engine cannot do."""
    return ClickHouseError(
        48,
        "NOT_IMPLEMENTED",
        f"{what} is not supported by the local endpoint, an embedded ClickHouse without users, Keeper or message "
        "queues. Point RECOUP_CLICKHOUSE__URL at a ClickHouse server to use it.",
    )
