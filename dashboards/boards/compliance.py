"""Compliance: why contacts were denied, how near limits are, and what people complain about."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import ACTIONS, BAD, CHANNELS, GOOD, PLAIN, WATCH
from dashboards.panels import About, Column, columns, figure, lines, listing, ranking
from dashboards.queries import Sql
from dashboards.rules import SENTENCES
from dashboards.units import COUNT, RATIO, SHARE, TIMES, WHOLE
from dashboards.variables import tenant

ONCE = "A decision counts once for each rule and channel that it was denied by, whatever was chosen instead."
NEAR = ((None, GOOD), (0.3, WATCH), (0.6, BAD))
COMPLAINTS = ((None, GOOD), (1, WATCH), (3, BAD))
OPT_OUTS = ((None, GOOD), (5, WATCH), (15, BAD))
LEFT = {"more left": GOOD, "one left": WATCH, "none left": BAD}

FIGURES = (
    figure(
        "Is more denied than usual?",
        Sql("compliance/against_usual"),
        About(
            "Denials a decision on the last day, as a multiple of the mean of the 14 days before. 1 = as always.",
            f"`denials_hourly` / `decisions_hourly` by UTC day. {ONCE} Amber from 1.5 times on, red from twice.",
            "A rule that suddenly denies everything is a changed rule, a changed tenant file or a feed that lost what must"
            " be known (country, consent). The rules below say which; docs/runbooks.md says what to do.",
        ),
        TIMES,
        steps=((None, GOOD), (1.5, WATCH), (2, BAD)),
        decimals=2,
    ),
    figure(
        "How many ask for a contact?",
        Sql("compliance/contact_share"),
        About(
            "Decisions that asked for a contact, of all, on the last day. The others wait, or give the case to a person.",
            "`contacts / decisions` of `decisions_hourly`.",
            "Near 0: nearly everything is denied or not worth it. See *What was decided?*.",
        ),
        SHARE,
        decimals=1,
    ),
    figure(
        "Who has no contact left?",
        Sql("compliance/none_left_share"),
        About(
            "Of decisions that met a limit of contacts, those with none left in its window, on the last day.",
            "`none_left / decisions` of `limits_near_hourly`. Red from 60 % on.",
            "Limits are used up early: contacts are spent on reminders that a later, better one would have needed.",
        ),
        SHARE,
        steps=NEAR,
        decimals=0,
    ),
    figure(
        "Is allowance left unused?",
        Sql("compliance/unused_share"),
        About(
            "Of the contacts that limits allow, the share that nobody used, in the last week.",
            "`contacts_left / (contacts_made + contacts_left)` of `allowance_weekly`.",
            "Much is no fault: fewer contacts are better, as long as the money comes.",
        ),
        SHARE,
        decimals=0,
    ),
    figure(
        "Who complains (of 1,000)?",
        Sql("compliance/complaints_rate"),
        About(
            "Complaints of the last 28 days for each 1,000 contacts that left.",
            "`complaints / contacts x 1,000` of `complaints_daily`. Green below 1, red from 3 on.",
            "Read them, then stop what draws them: `recoup contacts pause`.",
        ),
        RATIO,
        steps=COMPLAINTS,
        decimals=1,
    ),
    figure(
        "Who opts out (of 1,000)?",
        Sql("compliance/opt_outs_rate"),
        About(
            "Opt-outs of the last 28 days for each 1,000 contacts that left.",
            "`opt_outs / contacts x 1,000` of `complaints_daily`. Green below 5, red from 15 on.",
            "Each is a channel lost for good. Fewer contacts a week keep more of them.",
        ),
        RATIO,
        steps=OPT_OUTS,
        decimals=1,
    ),
)

DENIED = (
    lines(
        "Why were contacts denied?",
        Sql("compliance/why"),
        About(
            "Denials of each day by rule, the seven that deny most by name.",
            f"`denials` of `denials_hourly`. {ONCE}",
            "A band that appears or grows from one day to the next: what was changed on that day?",
        ),
        COUNT,
        label="why",
        bars=True,
        width=12,
        height=10,
    ),
    listing(
        "Which rules deny, and what do they say?",
        Sql("compliance/rules", "table"),
        About(
            "Every rule that denied something in the chosen time, with its own sentence.",
            f"`denials` of `denials_hourly`. {ONCE} Shares are of all denials.",
            "`recoup compliance rules` has sources and dates; `recoup explain` shows when an account may be contacted again.",
        ),
        {
            "Rule": Column("string", width=230),
            "What it says": Column("string", texts=SENTENCES),
            "Denials": Column(WHOLE, width=90),
            "Share": Column(SHARE, 0, width=70),
        },
        width=12,
        height=10,
    ),
    ranking(
        "Which channel is denied most?",
        Sql("compliance/by_channel", "table"),
        About(
            "Denials of the chosen time by channel.",
            f"`denials` of `denials_hourly`; actions without a channel are left out. {ONCE}",
            "A channel that is always denied costs nothing but hope: take its step out of the strategy.",
        ),
        COUNT,
        width=6,
    ),
    columns(
        "At which hours are contacts denied?",
        Sql("compliance/hours", "table"),
        About(
            "Denials of the chosen time by the hour of the day in UTC.",
            f"`denials` of `denials_hourly`. {ONCE}",
            "A peak at night is contact hours at work: nothing is lost, the contact goes in the morning.",
        ),
        COUNT,
        by="Hour (UTC)",
        colours={"Denials": PLAIN},
        width=9,
    ),
    lines(
        "What was decided?",
        Sql("compliance/actions"),
        About(
            "Decisions of each day by action; wait = nothing now.",
            "`decisions` of `decisions_hourly`.",
            "Only wait for days: nothing is allowed, or no strategy is in force (`recoup policies list`).",
        ),
        COUNT,
        label="action",
        bars=True,
        colours=ACTIONS,
        width=9,
    ),
)

LIMITS = (
    lines(
        "How near are accounts to their limits?",
        Sql("compliance/near"),
        About(
            "Decisions of each day that met a limit of contacts, by how many contacts it left.",
            "`limits_near_hourly`. Decisions of strategies without limits are left out.",
            "Red that grows: contacts are spent faster than the windows of the limits open.",
        ),
        COUNT,
        bars=True,
        colours=LEFT,
    ),
    listing(
        "Which channel is near its limit?",
        Sql("compliance/near_channels", "table"),
        About(
            "Of decisions that met a limit on the channel, the share with one contact left, and with none.",
            "`one_left` and `none_left / decisions` of `limits_near_hourly`, over the chosen time.",
            "Move a step of the strategy to a channel with room.",
        ),
        {
            "Decisions": Column(WHOLE),
            "One left": Column(SHARE, 0),
            "None left": Column(SHARE, 0, NEAR),
        },
    ),
    lines(
        "How much of the allowance is left unused?",
        Sql("compliance/allowance"),
        About(
            "Of the contacts that limits allow on a channel, the share that nobody used, by week (from Monday).",
            "`allowance_weekly`. Windows of limits are no calendar weeks, so it is a measure and no account.",
            "Near 0 means that every allowed contact is made: a fault in counting would break the law at once.",
        ),
        SHARE,
        label="channel",
        colours=CHANNELS,
        highest=1,
        decimals=0,
    ),
    columns(
        "How many complain and opt out each week?",
        Sql("compliance/complaints", "table"),
        About(
            "Complaints and opt-outs of each week (from Monday), all channels.",
            "`complaints_daily`, by the UTC day on which they came; one that is told twice counts once.",
            "Complaints have to be answered by law in many places: the CRM has them.",
        ),
        COUNT,
        by="Week from",
        colours={"Complaints": BAD, "Opt-outs": WATCH},
    ),
)

BOARD: Final = Board(
    uid="compliance",
    title="Compliance",
    says="Why contacts were denied, how near limits are, and what people complain about. For compliance officers.",
    since="now-30d",
    refresh="5m",
    variables=(tenant(),),
    rows=(Row("", FIGURES), Row("What was denied, and why", DENIED), Row("Limits and complaints", LIMITS)),
)
