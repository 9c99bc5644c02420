"""What an account's page, a dead letter and the money are made of."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from models.calendar import instant
from models.clock import SetClock
from recoup.console.account import page_from
from recoup.console.letters import SHOWN_BYTES, Wanted, _as_text, wanted_from
from recoup.console.warehouse import DAYS, Warehouse
from recoup.explain.decision import decision_from
from recoup.explain.story import Chapter, Story
from recoup.settings import Settings
from schemas.errors import BadInput
from tests.unit.console.test_decisions import message

AT = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)


def chapter(minute: int, topic: str, decision: bytes | None = None, **fields: Any) -> Chapter:
    told = None if decision is None else decision_from(decision)
    return Chapter(AT + dt.timedelta(minutes=minute), topic, "", topic, fields, told)


def story(*chapters: Chapter) -> Story:
    return Story("acme", "a1", "America/New_York", None, chapters, cut=False)


def test_the_page_shows_the_newest_decision_and_the_newest_score_that_counts():
    page = page_from(
        story(
            chapter(0, "propensity-scores", role="champion", probability=0.2, features=[1.0]),
            chapter(1, "next-best-actions", message(decision_id="old")),
            chapter(2, "propensity-scores", role="champion", probability=0.4, features=[1.0]),
            chapter(3, "propensity-scores", role="challenger", probability=0.9, features=[1.0]),
            chapter(4, "next-best-actions", message(decision_id="new", actions=[DENIED])),
        )
    )
    assert page.score is not None
    assert page.score["probability"] == 0.4
    assert "features" not in page.score
    assert page.decision is not None
    assert page.decision.decision_id == "new"
    (denied,) = page.decision.denied
    assert denied.rules == {"strategy:caps": "The strategy's cap of this channel for the day is reached."}
    assert [line.topic for line in page.timeline] == [
        "next-best-actions",
        "propensity-scores",
        "propensity-scores",
        "next-best-actions",
        "propensity-scores",
    ], "newest first"
    assert page.timeline[0].denied == denied.rules


DENIED = {
    "action": "contact",
    "channel": "sms",
    "value": 1.0,
    "probability": 0.0,
    "allowed": False,
    "denied_by": ["strategy:caps"],
}


def test_the_books_do_not_tell_a_payment_a_second_time():
    page = page_from(
        story(chapter(0, "payment-events"), chapter(0, "ledger-postings"), chapter(1, "interaction-events"))
    )
    assert [line.topic for line in page.timeline] == ["interaction-events", "payment-events"]
    assert [line.topic for line in page.contacts] == ["interaction-events"]


def test_an_account_of_which_nothing_was_decided_has_a_page():
    page = page_from(story(chapter(0, "crm-events")))
    assert (page.decision, page.score, page.why) == (None, None, "")


@pytest.mark.parametrize(
    ("value", "shown", "editable"),
    [
        (b'{"a":1}', '{\n  "a": 1\n}', True),
        (b"{", "{", True),
        (b"", "", True),
        (b"\xff{", "\\xff{", False),
        (b"\x00\x07ok", "\x00\x07ok", True),
        (b"x" * (SHOWN_BYTES + 1), "x" * SHOWN_BYTES, False),
        (b"\xfe" * 100_000, "\\xfe" * 2_048, False),
    ],
)
def test_any_bytes_can_be_shown_and_only_whole_texts_changed(value, shown, editable):
    assert _as_text(value) == (shown, editable)


def test_what_a_page_wants_is_read_strictly():
    assert wanted_from(b'{"at":"x"}') == Wanted("x")
    for body in (b"", b"[]", b'{"at":1}', b'{"at":"x","force":true}'):
        with pytest.raises(BadInput):
            wanted_from(body)


class Told(Warehouse):
    """Answers from what it is given."""

    answers: dict[str, list[tuple[Any, ...]]]

    def rows(self, query: str, **_: Any) -> list[tuple[Any, ...]]:
        return self.answers[query]


def test_today_is_the_tenants_and_a_day_without_money_is_nothing():
    warehouse = Told(Settings(), SetClock(instant(dt.datetime(2026, 3, 1, 3, tzinfo=dt.UTC))))
    warehouse.answers = {
        "zones": [("acme", "America/New_York"), ("kiosk", "Asia/Tokyo")],
        "collected": [
            ("acme", "USD", "2026-02-28", 500),
            ("acme", "USD", "2026-02-26", 70),
            ("kiosk", "JPY", "2026-03-01", 9),
        ],
        "ageing": [("acme", "USD", 0, "current", 1_000, 2), ("acme", "USD", 4, "90+", 30, 1)],
    }
    acme, kiosk = warehouse.money()
    assert (acme.day, kiosk.day) == ("2026-02-28", "2026-03-01")
    assert acme.collected[-3:] == (70, 0, 500)
    assert len(acme.collected) == DAYS
    assert (acme.open_minor, acme.overdue_minor) == (1_030, 30)
    assert (kiosk.collected[-1], kiosk.open_minor) == (9, 0)
    assert msgspec.json.encode([acme, kiosk])
