"""Every decision is counted, the newest few are told, and contacts go before decisions to wait."""

from pathlib import Path

import msgspec

from recoup.console.decisions import KEPT, ROWS_AT_ONCE, Decisions, row_from
from recoup.console.words import REASONS, reasons_in_words

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples" / "next-best-actions" / "valid"
VALUED = msgspec.json.decode((EXAMPLES / "next_best_action.chosen-valued.json").read_bytes())
WAITED = msgspec.json.decode((EXAMPLES / "next_best_action.chosen-wait.json").read_bytes())


def message(example=VALUED, **changes) -> bytes:
    return msgspec.json.encode(example | changes)


def test_a_burst_is_counted_whole_and_told_in_part():
    decisions = Decisions()
    for some in range(20):
        decisions.take([message(decision_id=f"d{some}-{n}", account_id=f"a{n}") for n in range(250)])
    news = decisions.news()
    assert news is not None
    assert news.came == decisions.total == 5_000
    assert len(news.rows) == ROWS_AT_ONCE
    assert {row.decision_id.partition("-")[0] for row in news.rows} == {"d19"}, "the newest"
    assert decisions.news() is None


def test_contacts_go_before_decisions_to_wait():
    decisions = Decisions()
    decisions.take([message(decision_id="contact"), *(message(WAITED, decision_id=f"w{n}") for n in range(100))])
    news = decisions.news()
    assert news is not None
    assert "contact" in {row.decision_id for row in news.rows}
    assert len(news.rows) == ROWS_AT_ONCE
    assert news.came == 101


def test_a_new_reader_sees_a_bounded_number_of_the_newest():
    decisions = Decisions()
    for some in range(10):
        decisions.take([message(decision_id=f"d{some}-{n}") for n in range(ROWS_AT_ONCE)])
        decisions.news()
    assert len(decisions.recent()) == KEPT
    assert decisions.recent()[-1].decision_id.startswith("d9")


def test_what_was_decided_before_the_start_is_shown_and_not_counted_as_news():
    decisions = Decisions()
    decisions.take([message()], news=False)
    assert decisions.total == 0
    news = decisions.news()
    assert news is not None
    assert len(news.rows) == 1


def test_a_message_that_breaks_the_contract_is_left_to_land():
    decisions = Decisions()
    decisions.take([b"{", b"[]", message()])
    news = decisions.news()
    assert news is not None
    assert news.came == 1


def test_a_message_whose_rest_breaks_the_contract_takes_no_other_with_it():
    decisions = Decisions()
    decisions.take([message(decision_no="x"), message(decision_id="good")])
    news = decisions.news()
    assert news is not None
    assert [row.decision_id for row in news.rows] == ["good"]


def test_a_row_says_in_words_what_was_decided_why_and_what_denied():
    row = row_from(message())
    denied = {rule for candidate in VALUED["actions"] for rule in candidate.get("denied_by", ())}
    assert (row.account_id, row.kind) == (VALUED["account_id"], VALUED["action"])
    assert set(row.denied) == denied
    assert all(says for says in row.denied.values())
    assert "_" not in row.why


def test_every_reason_of_the_core_has_words():
    models = Path(__file__).parents[3] / "models" / "actions"
    written = "".join(path.read_text("utf-8") for path in models.glob("*.py"))
    assert [reason for reason in REASONS if f'"{reason}"' not in written] == [], "words for a reason that is gone"
    constants = ("NOTHING_OWED", "BARRED", "NO_STEP_DUE", "STEP_DUE", "BEFORE_LIVE")
    from models.actions import next_best, schedule  # noqa: PLC0415 - beside what it is compared with

    codes = [code for name in constants for code in getattr(schedule, name)]
    codes += [schedule.STEPS_EXHAUSTED, next_best.WORTH_IT, next_best.DRAWN, next_best.NOT_WORTH_IT]
    codes += [next_best.BEST_DENIED, next_best.NOTHING_OFFERED, next_best.HELD_OUT, next_best.NO_CONTACT]
    assert set(codes) <= REASONS.keys()


def test_reasons_are_one_line():
    assert reasons_in_words(("worth_it",)) == "worth more than its cost"
    assert reasons_in_words(("best_is_denied", "A rule says no.", "no_contact_point")) == (
        "the best action is denied: A rule says no; no contact point"
    )
    assert reasons_in_words(()) == "no reason was given"
