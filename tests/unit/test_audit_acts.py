"""What a person does is in the chain before it takes effect, and whether it took effect is told as well."""

from typing import Any

import pytest

from connectors.redis.chain import ControlChain, decode_act
from recoup.audit import acts
from recoup.audit.acts import act_of, recorded
from recoup.settings import Settings
from schemas.errors import NotReady


class Redis:
    """A list that acts are put on; or one that cannot be reached."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.away = False

    def rpush(self, _name: str, *values: bytes) -> None:
        if self.away:
            raise ConnectionError
        self.kept += values

    def llen(self, _name: str) -> int:
        return len(self.kept)

    def close(self) -> None:
        pass

    def told(self) -> list[tuple[str, dict[str, str]]]:
        return [(act.subject, act.details) for act in map(decode_act, self.kept)]


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    redis = Redis()

    def kafka_is_away(_settings: Settings, _chain: ControlChain) -> Any:
        raise NotReady("away")

    monkeypatch.setattr(acts, "connect", lambda _: redis)
    monkeypatch.setattr(acts, "publish_waiting", kafka_is_away)
    return redis


ACTS = [act_of("rules", "shop", details={"country": "GB -> US"}), act_of("tenant", "late")]


def test_all_is_recorded_before_any_of_it_is_done(redis: Redis):
    before, in_log = recorded(Settings(), ACTS, redis.told)
    assert before == redis.told() == [("shop", {"country": "GB -> US"}), ("late", {})]
    assert not in_log


def test_what_was_not_done_is_recorded_as_that(redis: Redis):
    def refuse() -> None:
        raise NotReady("Kafka did not take it")

    with pytest.raises(NotReady, match="did not take"):
        recorded(Settings(), ACTS, refuse)
    failed = {"failed": "NotReady"}
    assert redis.told()[2:] == [("shop", {"country": "GB -> US"} | failed), ("late", failed)]


def test_what_cannot_be_recorded_is_not_done(redis: Redis):
    redis.away = True
    with pytest.raises(ConnectionError):
        recorded(Settings(), ACTS, lambda: pytest.fail("it was done"))
