"""Collections overview: what came in, what is owed and how old it is, and whether promises hold."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import AGEING, BAD, FILLED, GOOD, OUTCOMES, PLAIN, WATCH
from dashboards.panels import About, Column, columns, figure, lines, listing, ranking
from dashboards.queries import Sql
from dashboards.units import DAYS, MONEY, SHARE, WHOLE
from dashboards.variables import currency, minor_per_unit, tenant

FEWER_IS_BETTER = ((None, GOOD), (0.3, WATCH), (0.5, BAD))
AGAIN = ((None, GOOD), (0.2, WATCH), (0.4, BAD))
ROLLS = {"current → 1-30": "#4C9F70", "1-30 → 31-60": "#E39B4C", "31-60 → 61-90": "#D9693F", "61-90 → 90+": "#A8323B"}

FIGURES = (
    figure(
        "How much $currency came in?",
        Sql("collections/cash"),
        About(
            "Cash received in the chosen time, less payments that went back.",
            "`collected - reversed` of `collections_daily`, by the day on the tenant's calendar. Discounts, credit notes and"
            " write-offs are no cash. The curve is each day.",
            "Compare with the weeks before on *How much $currency came in each day?*. A sudden fall over all tenants is"
            " more often a payment feed that stopped than customers: look at *Pipeline health*.",
        ),
        MONEY,
        calc="sum",
    ),
    figure(
        "How much $currency is overdue?",
        Sql("collections/overdue"),
        About(
            "What is open past its due day, at the end of the last day shown.",
            "`overdue_minor` of `receivables_daily`: open invoices whose due day lies before that day. Unallocated credit"
            " of the customer is not taken off.",
            "See which buckets grow under *How old is the $currency that is owed?*, and whose debt it is at the foot of"
            " the page.",
        ),
        MONEY,
    ),
    figure(
        "What share of it is overdue?",
        Sql("collections/overdue_share"),
        About(
            "Overdue / open, at the end of the day.",
            "Both of `receivables_daily`. Green below 30 %, red from 50 % on.",
            "A share that rises while billing is steady means that fewer customers pay on time. *How much rolls on into the"
            " next bucket?* says at which age they stop.",
        ),
        SHARE,
        steps=FEWER_IS_BETTER,
        decimals=1,
    ),
    figure(
        "How many days open (DSO)?",
        Sql("collections/dso"),
        About(
            "Days sales outstanding: how many days of billing what is open amounts to.",
            "open / billed in the last 90 days x 90, at the end of each day. Green below 45 days, red from 60 on.",
            "It also rises when billing falls: see *Does as much $currency come in as is billed?* before blaming collections.",
        ),
        DAYS,
        steps=((None, GOOD), (45, WATCH), (60, BAD)),
        decimals=1,
    ),
    figure(
        "How well do we collect (CEI)?",
        Sql("collections/cei"),
        About(
            "Collection effectiveness index of the last 30 days: 100 % = everything that was due came in.",
            "(open at the start + billed - open at the end) / (open at the start + billed - not yet due at the end). The first"
            " 30 days of the books have none. Red below 60 %, green from 80 % on.",
            "Unlike DSO it does not move with billing: when it falls, collecting itself works worse. Look at contacts and"
            " promises of the same weeks.",
        ),
        SHARE,
        steps=((None, BAD), (0.6, WATCH), (0.8, GOOD)),
        decimals=0,
    ),
    figure(
        "Are promises to pay kept?",
        Sql("collections/kept_rate"),
        About(
            "Promises to pay that were kept, of those that fell due in the last 28 days.",
            "kept / (kept + broken) of `promises_daily`, by the promised day. Open and cancelled promises are left out. Red"
            " below 40 %, green from 60 % on.",
            "Promises that are too large or too late break. See *Agent performance* for whose do.",
        ),
        SHARE,
        steps=((None, BAD), (0.4, WATCH), (0.6, GOOD)),
        decimals=0,
    ),
)

CASH = (
    lines(
        "How much $currency came in each day?",
        Sql("collections/cash_each_day"),
        About(
            "Cash of each day, what went back below the line, and the net mean of the last 7 days.",
            "`collected` and `reversed` of `collections_daily` by the tenant's calendar day. Weekends are low by nature; the"
            " mean of 7 days is not moved by them.",
            "When the mean falls for a week: were fewer contacts made (*Contact and channel performance*), or were more of"
            " them denied (*Compliance*)?",
        ),
        MONEY,
        bars=True,
        line="Mean of 7 days, net",
        colours={"Received": GOOD, "Went back": BAD, "Mean of 7 days, net": PLAIN},
        width=14,
    ),
    columns(
        "Does as much $currency come in as is billed?",
        Sql("collections/billed_and_settled", "table"),
        About(
            "Billed, collected and written off in each week (from Monday).",
            "Sums of `collections_daily`; collected is net of what went back. The last week is not over.",
            "Weeks that bill more than comes in make what is owed grow. Write-offs are not collected: they only end a debt.",
        ),
        MONEY,
        by="Week from",
        colours={"Billed": PLAIN, "Collected": GOOD, "Written off": BAD},
        width=10,
    ),
)

OWED = (
    lines(
        "How old is the $currency that is owed?",
        Sql("collections/ageing"),
        About(
            "What is open at the end of each day, by how many days it is past due.",
            "`open_minor` of `ageing_daily`. current = not yet due. The darker, the older; the height is all that is open.",
            "Red that grows is debt that nobody pays any more. Green that grows is new business.",
        ),
        MONEY,
        stacked=True,
        colours=AGEING,
        width=14,
    ),
    ranking(
        "How old is the $currency owed now?",
        Sql("collections/ageing_now", "table"),
        About(
            "The last day of *How old is the $currency that is owed?* in figures.",
            "`open_minor` of `ageing_daily` on the last day of the chosen time.",
            "Work the large bucket that is youngest: what is over 90 days is paid least.",
        ),
        MONEY,
        colours=AGEING,
        width=10,
    ),
    lines(
        "How much rolls on into the next bucket?",
        Sql("collections/roll_rates"),
        About(
            "Of what stood in a bucket 30 days earlier, the share that now stands in the next one: it was not paid.",
            "`to_minor / from_minor` of `roll_rates_daily`. Buckets are 30 days wide, so what is unpaid is in the next"
            " bucket exactly 30 days later. Net of payments, credit notes and write-offs.",
            "The step whose line rises is the age at which collecting fails. Put contacts before it.",
        ),
        SHARE,
        label="step",
        colours=ROLLS,
        highest=1,
        decimals=0,
        width=14,
    ),
    listing(
        "Do customers who caught up stay well?",
        Sql("collections/cures", "table"),
        About(
            "Accounts that paid everything overdue, by month, and how many of them were overdue again.",
            "`cures_monthly`: overdue again within 30 or 90 days, of those whose 30 or 90 days are over."
            " Empty = nobody's are. Amber from 20 % on, red from 40 % on.",
            "Many who are late again need another plan, not another reminder: instalments, another due day.",
        ),
        {
            "Late again in 30 days": Column(SHARE, 0, AGAIN),
            "Late again in 90 days": Column(SHARE, 0, AGAIN),
        },
        steps=AGAIN,
        width=10,
    ),
    listing(
        "How much of each month's debt has been collected since?",
        Sql("collections/liquidation", "table"),
        About(
            "Liquidation curves: a row is the debt placed in a month, in $currency; a column is how many months have passed.",
            "`cumulative_collected / placed` of `liquidation`: cash allocated to invoices placed in that month. Empty = not"
            " yet. The darker, the more. Read down a column to compare months of the same age.",
            "A younger month that is paler than the older ones at the same age collects worse: was the debt or the"
            " strategy another?",
        ),
        {
            "Placed": Column(WHOLE, 0),
            **{name: Column(SHARE, 0, FILLED) for name in ("same month", *(f"{n} later" for n in range(1, 7)))},
        },
        steps=FILLED,
        width=14,
    ),
    columns(
        "How much of the promised $currency was kept?",
        Sql("collections/promises", "table"),
        About(
            "Promised amounts that fell due in each week (from Monday), kept or broken.",
            "`kept_minor` and `broken_minor` of `promises_daily`, by the promised day.",
            "Weeks with much red: look whether promises were taken too large (*Agent performance*).",
        ),
        MONEY,
        by="Week from",
        colours=OUTCOMES,
        stacked=True,
        width=10,
    ),
)

ACCOUNTS = (
    listing(
        "Which accounts owe the most overdue $currency?",
        Sql("collections/largest", "table"),
        About(
            "The 25 accounts with the most overdue today in UTC, whatever time is chosen.",
            "`most_overdue`: worked out every 5 minutes. Credit is money that has not been allocated.",
            "`recoup explain TENANT ACCOUNT` tells an account's story: what was sent, what is denied and until when.",
        ),
        {
            "Overdue": Column(WHOLE, 0),
            "Open": Column(WHOLE, 0),
            "Credit": Column(WHOLE, 0),
            "Days past due": Column(
                WHOLE, 0, ((None, AGEING["1-30"]), (31, AGEING["31-60"]), (61, AGEING["61-90"]), (91, AGEING["90+"]))
            ),
            "Oldest due on": Column("dateTimeAsIso"),
        },
        width=24,
        height=10,
    ),
)

BOARD: Final = Board(
    uid="collections",
    title="Collections overview",
    says="What came in, what is owed and how old it is, whether promises hold. For collections managers, every morning.",
    since="now-90d",
    refresh="5m",
    variables=(tenant(), currency(), minor_per_unit()),
    rows=(
        Row("", FIGURES),
        Row("Money that came in", CASH),
        Row("Money that is owed", OWED),
        Row("Whose debt it is", ACCOUNTS),
    ),
)
