"""What the demo shows fits a small terminal and says what it must."""

import io

from rich.console import Console

from recoup.demo.view import View, line, table
from schemas.registry import ACCOUNT_TOPICS

BUSY = View(
    phase="streaming",
    elapsed=41,
    seconds=60,
    accounts=5_000,
    produced=82_123,
    handled=82_001,
    per_second=2_011,
    lag_seconds=0.1,
    scored=40_123,
    decisions={"wait": 35_000, "contact": 4_000, "hand_to_person": 300},
    contacts_allowed=4_000,
    denied={"tenant:contact_hours": 885, "HR-2": 408, "no_contact_point": 163, "TC-1": 114, "HR-3": 89},
    sent={"sent": 3_990, "failed": 3},
    answers={"pays": 1_200, "promises": 300, "replies": 200, "opts_out": 30, "complains": 12},
    rows=dict.fromkeys((*ACCOUNT_TOPICS, "tenants", "payment-events.dlq"), 12345),
    to_decision=(41.2, 133.4),
    to_row=(611.0, 1_412.0),
    workers=3,
)


def shown(view: View) -> str:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, no_color=True)
    with console.capture() as captured:
        console.print(table(view))
    return captured.get()


def test_the_table_fits_80_columns_and_24_lines():
    lines = shown(BUSY).splitlines()
    assert len(lines) <= 24


def test_the_table_shows_the_figures_and_the_rules_in_words():
    text = shown(BUSY)
    for expected in (
        "2,011",
        "122 = 0.1 s",
        "41 / 133 ms",
        "4,000",
        "HR-2: Outside 08:00-21:00",
        "No usable contact point",
    ):
        assert expected in text


def test_a_line_says_it_without_a_terminal():
    text = line(BUSY)
    assert "\n" not in text
    for expected in (
        "41 s streaming",
        "2,011 events/s",
        "lag 122",
        "hand to person 300",
        "denied 1,659",
        "41 / 133 ms",
    ):
        assert expected in text


def test_the_first_moment_can_be_shown():
    assert "-" in line(View())
    assert "starting" in shown(View())
