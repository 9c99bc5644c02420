"""Says whether a stack lives in the present or replays a ledger on its own clock."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import redis
from redis.exceptions import RedisError

from connectors.redis.client import connect
from connectors.redis.settings import RedisSettings
from schemas.errors import NotReady

Mode = Literal["live", "replay"]


def stack_mode(settings: RedisSettings) -> Mode:
    """The stack's mode; one that says nothing is live.

    Raises:
        NotReady: Redis does not answer.
    """
    with _asking(settings) as client:
        stored = client.get(f"{settings.prefix}:mode")
    return "replay" if stored is not None and json.loads(stored)["mode"] == "replay" else "live"


def start_replay(settings: RedisSettings, pinned: dict[str, Any]) -> None:
    """Make an empty stack one that replays, with what the replay rests on; workers ask for the mode when they start.

    Raises:
        NotReady: Redis does not answer, or the stack has a mode already.
    """
    with _asking(settings) as client:
        if not client.set(f"{settings.prefix}:mode", json.dumps({"mode": "replay", **pinned}), nx=True):
            raise NotReady("The stack has a mode already: `recoup down --wipe` empties a local stack.")


def manifest(settings: RedisSettings) -> dict[str, Any] | None:
    """What the stack's replay rests on; None in a live stack. Raises NotReady when Redis does not answer."""
    with _asking(settings) as client:
        stored = client.get(f"{settings.prefix}:mode")
    found: dict[str, Any] = json.loads(stored) if stored else {}
    return found if found.pop("mode", "live") == "replay" else None


@contextmanager
def _asking(settings: RedisSettings) -> Iterator["redis.Redis[Any]"]:
    client = connect(settings)
    try:
        yield client
    except RedisError as error:
        raise NotReady(
            f"Redis did not answer ({type(error).__name__}). `recoup status` says whether it runs."
        ) from error
    finally:
        client.close()
