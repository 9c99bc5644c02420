"""`recoup compliance check` and an independent reading of the rules deny the same contacts, by the same rules, as long."""

import datetime as dt
import io
import json
from collections.abc import Iterable
from typing import Any

import pytest

from recoup.compliance.check import answers
from tests.compliance_oracle import judge, next_allowed
from tests.compliance_oracle.cases import NEVER, OHIO_CREDITOR, Line, Written, consent, fact, line
from tests.compliance_oracle.cases_elsewhere import ELSEWHERE
from tests.compliance_oracle.cases_federal import FEDERAL
from tests.compliance_oracle.generate import lines
from tests.compliance_oracle.replies import NO, UNSURE, YES

WRITTEN = [*FEDERAL, *ELSEWHERE]
CHANNELS = ("sms", "email", "call")


def engine(cases: Iterable[Line]) -> list[dict[str, Any]]:
    text = b"".join(json.dumps(case).encode() + b"\n" for case in cases)
    return [json.loads(answer.text) for answer in answers(io.BytesIO(text))]


def instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Any]]:
    return {answer["case"]: answer for answer in engine(one.line for one in WRITTEN)}


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.line["case"])
def test_what_was_written_by_hand_is_what_engine_and_oracle_say(one: Written, judged: dict[str, dict[str, Any]]):
    answer = judged[one.line["case"]]

    assert set(answer["denied_by"]) == one.denied_by
    assert judge(one.line) == one.denied_by
    if one.next_allowed is not None:
        expected = None if one.next_allowed == NEVER else instant(one.next_allowed)
        assert instant(answer["next_allowed_at"]) == expected
        assert next_allowed(one.line) == expected


def test_the_cases_written_by_hand_have_names_of_their_own():
    names = [one.line["case"] for one in WRITTEN]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_engine_and_oracle_agree_on_cases_that_nobody_has_chosen(seed: int):
    cases = list(lines(seed, 150))

    answered = engine(cases)

    for case, answer in zip(cases, answered, strict=True):
        assert set(answer["denied_by"]) == judge(case), case
        assert answer["allowed"] == (not answer["denied_by"])
    for case, answer in list(zip(cases, answered, strict=True))[::3]:
        assert instant(answer["next_allowed_at"]) == next_allowed(case), case


def replied(text: str, channel: str) -> Line:
    facts = (
        consent("2026-01-10T12:00", "all"),
        fact("reply.received", "2026-03-02T12:00", channel="sms", text=text),
    )
    return line(text, "2026-03-03T12:00", OHIO_CREDITOR, channel=channel, facts=facts)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_reply_closes_the_channels_that_it_names_and_no_others(channel: str):
    answered = engine(replied(text, channel) for text in YES)

    for (text, closed), answer in zip(YES.items(), answered, strict=True):
        assert answer["allowed"] == (not closed & {channel, "all"}), text


def test_a_reply_in_another_sense_closes_nothing():
    for answer in engine(replied(text, channel) for text in NO for channel in CHANNELS):
        assert answer["allowed"], answer["case"]


def test_a_reply_of_unsure_sense_closes_its_channel_until_it_is_read():
    for answer in engine(replied(text, "sms") for text in UNSURE):
        assert not answer["allowed"], answer["case"]
