"""Refuses to start work against a server whose address nobody has given."""

from recoup.settings import Settings
from schemas.errors import NotReady

FIELDS = {"kafka": "bootstrap_servers", "redis": "url", "clickhouse": "url"}


def require(settings: Settings, *parts: str) -> None:
    """Make sure that the addresses of these parts (`kafka`, `redis`, `clickhouse`) are known.

    Raises:
        NotReady: which one is not, and how to give it.
    """
    for part in parts:
        if not getattr(getattr(settings, part), FIELDS[part]):
            raise NotReady(
                f"The address of {part} is not known. Start the local stack with `recoup up`, or set"
                f" RECOUP_{part.upper()}__{FIELDS[part].upper()}."
            )
