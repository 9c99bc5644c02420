"""Agent performance: whom calls reach, what is promised, and whether it is kept."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.boards.contacts import CALLS, KEPT, RIGHT_PARTY
from dashboards.colours import BAD, FAINT, GOOD, WATCH
from dashboards.panels import About, Column, columns, figure, lines, listing, ranking
from dashboards.queries import Sql
from dashboards.units import COUNT, MONEY, SECONDS, SHARE, WHOLE
from dashboards.variables import currency, minor_per_unit, tenant

OF_AGENTS = (
    "`agents_daily`, by the UTC day of the call, of the chosen currency or of none; calls that name nobody are left out"
)
PROMISED = ((None, BAD), (0.2, WATCH), (0.35, GOOD))
LONG = ((None, GOOD), (360, WATCH), (600, BAD))

FIGURES = (
    figure(
        "How many calls were made?",
        Sql("agents/dials"),
        About(
            "Dials of all agents in the chosen time. The curve is each day.",
            f"`dials` of {OF_AGENTS}.",
            "Fewer than usual: were people away, or were calls denied (*Compliance*)?",
        ),
        COUNT,
        calc="sum",
    ),
    figure(
        "Do calls reach the customer?",
        Sql("agents/right_party_share"),
        About(
            "Dials of the last 28 days that became a conversation with the customer.",
            f"`right_party / dials` of {OF_AGENTS}. Red below 15 %, green from 25 % on.",
            "It is the hour and the number that decide, more than the agent: compare agents only within a tenant.",
        ),
        SHARE,
        steps=RIGHT_PARTY,
        decimals=0,
    ),
    figure(
        "Do they bring promises?",
        Sql("agents/promise_share"),
        About(
            "Promises for each conversation with the right party, in the last 28 days.",
            f"`promises / right_party` of {OF_AGENTS}. A promise belongs to the last contact of the 14 days before it."
            " Red below 20 %, green from 35 % on.",
            "Listen to calls of the agents with the most and the fewest.",
        ),
        SHARE,
        steps=PROMISED,
        decimals=0,
    ),
    figure(
        "How much $currency came of it?",
        Sql("agents/cash"),
        About(
            "Money received within 14 days after a dial while it was the account's last contact. What went back is not taken"
            " off.",
            f"`collected_minor` of {OF_AGENTS}: by the day of the call, so the last 14 days are still growing.",
            "See whose calls it followed, and how long they took.",
        ),
        MONEY,
        calc="sum",
    ),
    figure(
        "How much $currency an hour?",
        Sql("agents/cash_an_hour"),
        About(
            "That money for each hour on the telephone in the last 28 days. Compare it with what an hour costs.",
            f"`collected_minor / handle_seconds x 3,600` of {OF_AGENTS}. Time between calls is not in it.",
            "Below the cost of an hour: call fewer small debts; the strategy decides which.",
        ),
        MONEY,
    ),
    figure(
        "How long does a call take?",
        Sql("agents/handle_time"),
        About(
            "Time on the telephone for each dial, in the last 28 days.",
            f"`handle_seconds / dials` of {OF_AGENTS}; calls of unknown length count 0. Green below 6 minutes.",
            "Long calls are no fault if promises are kept: look at both.",
        ),
        SECONDS,
        steps=LONG,
        decimals=1,
    ),
)

EACH = (
    listing(
        "How does each agent do?",
        Sql("agents/agents", "table"),
        About(
            "A row for each agent, those whose calls the most $currency followed first.",
            f"Of {OF_AGENTS}. Kept is of promises so far: open ones count against it until they are kept.",
            "Many promises that few keep: they were too large or too far away. Few conversations: other hours.",
        ),
        {
            "Dials": Column(WHOLE),
            "Answered": Column(SHARE, 0),
            "Right party": Column(SHARE, 0, RIGHT_PARTY),
            "Promises a conversation": Column(SHARE, 0, PROMISED),
            "Kept so far": Column(SHARE, 0, KEPT),
            "Promised": Column(WHOLE, 0),
            "Cash": Column(WHOLE, 0),
            "Cash an hour": Column(WHOLE, 0),
            "Seconds a call": Column(WHOLE, 0),
        },
        width=24,
        height=9,
    ),
    ranking(
        "Whose calls did the $currency follow?",
        Sql("agents/cash_by_agent", "table"),
        About(
            "Money within 14 days after a call, by agent; the twelve with the most.",
            f"`collected_minor` of {OF_AGENTS}.",
            "Agents with larger debts have more: compare the promises kept as well.",
        ),
        MONEY,
        width=8,
    ),
    ranking(
        "Whose calls take longest?",
        Sql("agents/time_by_agent", "table"),
        About(
            "Seconds on the telephone for each dial, by agent; the twelve with the most.",
            f"`handle_seconds / dials` of {OF_AGENTS}. Amber from 6 minutes, red from 10 minutes on.",
            "Long and without promises: what keeps the conversation from an end?",
        ),
        SECONDS,
        steps=LONG,
        decimals=1,
        width=8,
    ),
    columns(
        "Are promises to agents kept?",
        Sql("agents/promises", "table"),
        About(
            "Promises after calls of each week (from Monday), by what became of them.",
            f"`promises` and `promises_kept` of {OF_AGENTS}. Those of the last weeks are often still open.",
            "An old week with little green: promises were taken that nobody could keep.",
        ),
        COUNT,
        by="Week from",
        stacked=True,
        colours={"kept": GOOD, "broken or still open": FAINT},
        width=8,
    ),
    lines(
        "Whom do calls reach each day?",
        Sql("agents/calls"),
        About(
            "Dials of each day, by who took them.",
            f"`dials`, `connects` and `right_party` of {OF_AGENTS}. Voicemail counts as nobody.",
            "Days on which nobody answers: call at other hours.",
        ),
        COUNT,
        bars=True,
        colours=CALLS,
        width=24,
    ),
)

BOARD: Final = Board(
    uid="agents",
    title="Agent performance",
    says="Whom calls reach, what is promised, and whether it is kept. For team leaders.",
    since="now-60d",
    refresh="5m",
    variables=(tenant(), currency(), minor_per_unit()),
    rows=(Row("", FIGURES), Row("Agent by agent", EACH)),
)
