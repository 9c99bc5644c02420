"""Contact and channel performance: how far contacts get, what they bring and cost, and whom they annoy."""

from typing import Final

from dashboards.board import Board, Row
from dashboards.colours import BAD, CHANNELS, FAINT, GOOD, PLAIN, WATCH
from dashboards.panels import About, Column, figure, lines, listing, ranking
from dashboards.queries import Sql
from dashboards.units import COUNT, MONEY, PER_THOUSAND, RATIO, SHARE, WHOLE
from dashboards.variables import channel, currency, minor_per_unit, tenant

FUNNEL = "`contact_funnel_daily`, by the UTC day on which the contact left"
LAST_TOUCH = (
    "Money received within 14 days after a contact while it was the account's last one. What of it went back is not taken"
    " off. It came after the contact, not necessarily because of it."
)
DELIVERED = ((None, BAD), (0.9, WATCH), (0.95, GOOD))
RIGHT_PARTY = ((None, BAD), (0.15, WATCH), (0.25, GOOD))
KEPT = ((None, BAD), (0.4, WATCH), (0.6, GOOD))
COST = ((None, GOOD), (0.03, WATCH), (0.06, BAD))
COMPLAINTS = ((None, GOOD), (1, WATCH), (3, BAD))
CALLS = {"nobody took it": FAINT, "somebody else": WATCH, "right party": GOOD}

FIGURES = (
    figure(
        "How many were sent?",
        Sql("contacts/sent"),
        About(
            "Contacts that left in the chosen time, about debts in the chosen currency. The curve is each day.",
            f"`dispatched` of {FUNNEL}; those whose provider did not answer count as sent.",
            "Fewer than usual: see *Compliance* for what was denied, and *Pipeline health* for what waits.",
        ),
        COUNT,
        calc="sum",
    ),
    figure(
        "What share is delivered?",
        Sql("contacts/delivered_share"),
        About(
            "E-mails and texts that the provider says arrived, of those sent in the last 28 days.",
            f"`delivered / dispatched` of {FUNNEL}. Nobody reports that letters arrive. Red below 90 %.",
            "Bounces hurt the sender's name: see by channel below, then `recoup contacts status` and the provider's page.",
        ),
        SHARE,
        steps=DELIVERED,
        decimals=0,
    ),
    figure(
        "Do calls reach the customer?",
        Sql("contacts/right_party_share"),
        About(
            "Right-party rate: dials of the last 28 days that became a conversation with the customer.",
            f"`right_party / dials` of {FUNNEL}, of the channel call alone. Red below 15 %, green from 25 % on.",
            "Low everywhere: wrong hours. Low for one tenant: old telephone numbers.",
        ),
        SHARE,
        steps=RIGHT_PARTY,
        decimals=0,
    ),
    figure(
        "How much $currency came of it?",
        Sql("contacts/cash"),
        About(
            LAST_TOUCH,
            f"`collected_minor` of {FUNNEL}: by the day of the contact, so the last 14 days are still growing.",
            "Compare templates and channels below before sending more of the same.",
        ),
        MONEY,
        calc="sum",
    ),
    figure(
        "What do contacts cost of it?",
        Sql("contacts/cost_share"),
        About(
            "Cost per unit collected: what contacts of the last 28 days cost, of the cash that followed them.",
            f"`cost_minor / collected_minor` of {FUNNEL}. Costs are those of the strategy's file, money and minutes. 0 % ="
            " the strategy names no costs. Green below 3 %, red from 6 % on.",
            "Dear channels for small debts: raise the strategy's value of a contact, or leave it to e-mail.",
        ),
        SHARE,
        steps=COST,
        decimals=2,
    ),
    figure(
        "Who complains (of 1,000)?",
        Sql("contacts/complaints_rate"),
        About(
            "Complaints of the last 28 days for each 1,000 contacts that left, in all currencies.",
            "`complaints / contacts x 1,000` of `complaints_daily`. Green below 1, red from 3 on.",
            "Stop the template that draws them (`recoup contacts pause`), read the complaints, then look at *Compliance*.",
        ),
        RATIO,
        steps=COMPLAINTS,
        decimals=1,
    ),
)

WHAT_WORKS = (
    ranking(
        "How far do contacts get?",
        Sql("contacts/funnel", "table"),
        About(
            "From the decision to the promise that was kept, over the chosen time.",
            f"Sums of {FUNNEL}. Sent counts letters and calls as well, of which nobody reports that they arrive, and only"
            " e-mails can be opened: choose one channel to follow it step by step. A promise belongs to the last contact"
            " of the 14 days before it, a call among them.",
            "Look at the step with the largest loss: decided → sent is compliance and dispatch, sent → delivered of one"
            " channel is addresses, delivered → replied is words.",
        ),
        COUNT,
        colours=dict.fromkeys(
            ("decided", "sent", "delivered (e-mail, text)", "opened (e-mail)", "clicked", "replied"), PLAIN
        )
        | {"promised": WATCH, "promise kept": GOOD},
    ),
    listing(
        "Which channel works, and what does it cost?",
        Sql("contacts/channels", "table"),
        About(
            "A row for each channel, in $currency. " + LAST_TOUCH,
            f"Of {FUNNEL}. Delivered of sent e-mails and texts; opened of delivered e-mails; right party of calls"
            " dialled; promised of sent; kept of promised, so far.",
            "A channel that costs more a contact than it brings should be kept for larger debts.",
        ),
        {
            "Sent": Column(WHOLE),
            "Delivered": Column(SHARE, 0, DELIVERED),
            "Opened": Column(SHARE, 0),
            "Replied": Column(SHARE, 1),
            "Right party": Column(SHARE, 0, RIGHT_PARTY),
            "Promised": Column(SHARE, 1),
            "Kept so far": Column(SHARE, 0, KEPT),
            "Cash": Column(WHOLE, 0),
            "Cash a contact": Column(WHOLE, 2),
            "Cost a contact": Column(WHOLE, 2),
        },
        width=16,
    ),
    lines(
        "How many contacts were sent each day?",
        Sql("contacts/sent_by_channel"),
        About(
            "Contacts that left each day, by channel.",
            f"`dispatched` of {FUNNEL}.",
            "A channel that stops on a working day: `recoup contacts status` says whether it is paused, and"
            " *Infrastructure* whether its provider fails.",
        ),
        COUNT,
        label="channel",
        bars=True,
        colours=CHANNELS,
    ),
    lines(
        "How much $currency followed each channel?",
        Sql("contacts/cash_by_channel"),
        About(
            LAST_TOUCH,
            f"`collected_minor` of {FUNNEL}: by the day of the contact, so the last 14 days are still growing.",
            "What falls before the last 14 days fell for good: compare with how many were sent.",
        ),
        MONEY,
        label="channel",
        bars=True,
        colours=CHANNELS,
    ),
)

WORDS = (
    listing(
        "Which words bring answers and $currency?",
        Sql("contacts/templates", "table"),
        About(
            "A row for each template, those that brought the most first.",
            f"Of {FUNNEL}; opened of delivered e-mails, the others of what was sent. Complaints within 14 days after it.",
            "A template with many complaints and little cash should be rewritten: `recoup templates preview` shows it.",
        ),
        {
            "Sent": Column(WHOLE),
            "Opened": Column(SHARE, 0),
            "Replied": Column(SHARE, 1),
            "Promised": Column(SHARE, 1),
            "Cash a contact": Column(WHOLE, 2),
            "Complaints per 1,000": Column(RATIO, 1, COMPLAINTS),
        },
    ),
    listing(
        "How do strategies and their arms compare?",
        Sql("contacts/arms", "table"),
        About(
            "A row for each strategy and arm, in $currency: policy = what it found best, explore = drawn to learn from.",
            f"Of {FUNNEL}. Accounts that are held out get no contacts and are not here.",
            "The arms meet different customers, so this is no proof: `recoup evaluate` compares strategies fairly.",
        ),
        {
            "Sent": Column(WHOLE),
            "Promised": Column(SHARE, 1),
            "Kept so far": Column(SHARE, 0, KEPT),
            "Cash a contact": Column(WHOLE, 2),
            "Cost": Column(SHARE, 2, COST),
        },
    ),
)

REACTIONS = (
    lines(
        "Whom do calls reach?",
        Sql("contacts/calls"),
        About(
            "Dials of each day, by who took them.",
            f"`dials`, `connects` and `right_party` of {FUNNEL}, of the channel call alone. A call that ended at a voicemail"
            " was taken by nobody.",
            "Many strangers: numbers are old; the customer's other contact points are in the CRM.",
        ),
        COUNT,
        bars=True,
        colours=CALLS,
    ),
    lines(
        "Do contacts annoy people?",
        Sql("contacts/annoyed"),
        About(
            "Complaints and opt-outs of each week for each 1,000 contacts of the channel.",
            "`(complaints + opt_outs) / contacts x 1,000` of `complaints_daily`. The lines are at 10 and 20. Opt-outs of"
            " all channels at once are left out.",
            "Above the red line for two weeks: send less on the channel. A rise after a new template is the template's.",
        ),
        PER_THOUSAND,
        label="channel",
        colours=CHANNELS,
        steps=((None, GOOD), (10, WATCH), (20, BAD)),
        decimals=1,
    ),
)

BOARD: Final = Board(
    uid="contacts",
    title="Contact and channel performance",
    says="How far contacts get, what they bring and cost, and whom they annoy. For those who own channels and words.",
    since="now-60d",
    refresh="5m",
    variables=(tenant(), currency(), minor_per_unit(), channel()),
    rows=(
        Row("", FIGURES),
        Row("What works", WHAT_WORKS),
        Row("Words and strategies", WORDS),
        Row("How people react", REACTIONS),
    ),
)
