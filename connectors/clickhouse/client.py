"""The one place that opens ClickHouse, and the one that says in our own words what it answered."""

import math
import re
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3 import PoolManager

from connectors.clickhouse.settings import ClickHouseSettings
from schemas.errors import NotReady

STALE_OWNER = "not the owner any more"
"""What the fence of an insert throws; the sink recognises it in the server's answer."""

ABOUT_THE_STATEMENT = frozenset({10, 16, 42, 43, 44, 46, 47, 48, 50, 53, 60, 62, 63, 81, 184, 207, 215, 386, 456, 457})
"""Numbers of errors whose text speaks of the statement and of names, never of what stands in rows."""

_CODE = re.compile(r"Code: (\d+)")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]{3,})\)")


def connect(
    settings: ClickHouseSettings, *, database: str | None = None, answer_seconds: float = 60.0, connections: int = 8
) -> Client:
    """A client over HTTP(S). It may be used by several threads at once: no request belongs to a session.

    Args:
        settings: where it is and how to be let in.
        database: another one than the settings name.
        answer_seconds: how long the server may take to answer one request.
        connections: how many are kept open between requests.

    Raises:
        NotReady: no address is known, the server does not answer, or it lets us not in.
    """
    if not settings.url:
        raise NotReady("No ClickHouse is known. Start the local stack (`recoup up`) or set RECOUP_CLICKHOUSE__URL.")
    address = urlsplit(settings.url)
    secure = address.scheme == "https"
    try:
        return clickhouse_connect.get_client(
            host=address.hostname,
            port=address.port or (8443 if secure else 8123),
            secure=secure,
            username=settings.username,
            password=settings.password.get_secret_value(),
            database=database or settings.database,
            ca_cert=settings.ca_cert,
            client_cert=settings.client_cert,
            client_cert_key=settings.client_cert_key,
            connect_timeout=5,
            send_receive_timeout=math.ceil(answer_seconds),
            # The default would make parallel requests of one client fail: a session runs one query at a time.
            autogenerate_session_id=False,
            pool_mgr=_pool(settings, connections),
        )
    except (ClickHouseError, OSError) as error:
        raise NotReady(f"ClickHouse at {settings.url}: {explain(error)}. {_advice(error)}") from error


def explain(error: BaseException) -> str:
    """A ClickHouse failure without the rows that the server may quote: the error's number and name, or its class."""
    if isinstance(error, NotReady):
        return str(error)
    if (code := code_of(error)) is not None:
        return named(code, str(error))
    return "no answer" if isinstance(error, OperationalError | OSError) else type(error).__name__


def named(code: int, text: str) -> str:
    """The number of an error and the name that its text ends with."""
    name = _NAME.findall(text)
    return f"error {code}" + (f" {name[-1]}" if name else "")


def code_of(error: BaseException) -> int | None:
    """The number of a ClickHouse error; None when the server did not answer."""
    if isinstance(error, DatabaseError):
        found = _CODE.search(str(error))
        return error.code or (int(found[1]) if found else None)
    return None


def _pool(settings: ClickHouseSettings, connections: int) -> PoolManager:
    pool: PoolManager = get_pool_manager(
        ca_cert=settings.ca_cert,
        client_cert=settings.client_cert,
        client_cert_key=settings.client_cert_key,
        maxsize=connections,
    )
    return pool


def _advice(error: BaseException) -> str:
    match code_of(error):
        case 81:  # UNKNOWN_DATABASE
            return "The database does not exist yet: `recoup migrate` makes it."
        case 193 | 194 | 516:
            return "It refuses the user or the password: check RECOUP_CLICKHOUSE__USERNAME and __PASSWORD."
        case _:
            return "Is it running? `recoup status` says."
