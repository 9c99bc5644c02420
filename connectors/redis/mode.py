"""Says whether a stack lives in the present or replays a ledger on its own clock."""

import json
from typing import Literal

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
    client = connect(settings)
    try:
        stored = client.get(f"{settings.prefix}:mode")
    except RedisError as error:
        raise NotReady(
            f"Redis did not answer ({type(error).__name__}). `recoup status` says whether it runs."
        ) from error
    finally:
        client.close()
    return "replay" if stored is not None and json.loads(stored)["mode"] == "replay" else "live"
