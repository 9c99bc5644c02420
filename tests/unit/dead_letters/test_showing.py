"""Who is shown what a dead letter holds is recorded first, by position and reason and never by what it holds."""

import pytest

from connectors.redis.chain import decode_act
from recoup.audit import acts
from recoup.dead_letters import showing
from recoup.dead_letters.letters import Letter, position_from
from recoup.settings import Settings
from schemas.errors import BadInput
from tests.unit.test_audit_acts import Redis

AT = position_from("payment-events.dlq:0:12")
LETTER = Letter(
    at=AT,
    reason="negative_money",
    field="amount_minor",
    detail="",
    came_from="payment-events:0:3",
    attempt=1,
    first_seen=None,
    key=b"acme|anna",
    value=b'{"name": "Anna"}',
    headers=(),
)


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    redis = Redis()
    monkeypatch.setattr(acts, "connect", lambda _: redis)
    monkeypatch.setattr(acts, "publish_waiting", lambda *_: None)
    monkeypatch.setattr(showing, "letter_at", lambda *_: LETTER)
    return redis


def test_one_act_a_letter_is_shown(redis: Redis):
    assert showing.opened(Settings(), AT, "console") == LETTER
    (act,) = map(decode_act, redis.kept)
    assert (act.action, act.subject) == ("access", str(AT))
    assert act.actor
    assert act.details == {"topic": "payment-events", "reason": "negative_money", "through": "console"}
    assert b"nna" not in redis.kept[0]
    showing.opened(Settings(), AT, "command")
    assert len(redis.kept) == 2


def test_what_cannot_be_recorded_is_not_shown(redis: Redis):
    redis.away = True
    with pytest.raises(ConnectionError):
        showing.opened(Settings(), AT, "console")


def test_a_letter_that_is_not_there_is_no_act(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    def nothing(*_: object) -> Letter:
        raise BadInput("There is no message.")

    monkeypatch.setattr(showing, "letter_at", nothing)
    with pytest.raises(BadInput):
        showing.opened(Settings(), AT, "console")
    assert redis.kept == []
