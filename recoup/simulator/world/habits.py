"""How customers truly behave: six habits, written down before any policy was run against them, and not tuned since.

Odds are daily log-odds of paying by oneself; a contact that is noticed adds to them, and what it adds halves in
`HALF_LIFE_DAYS`. So a contact moves most those who are undecided, hardly those who pay anyway, and not those who cannot.

What the numbers rest on (each is rounded, and customers vary around it):

- Reminders work on those who forget: court fines were paid by more than 60 % of those texted before the date and by 48 %
  of the others (Tulsa, Behavioral Insights Team); texts raised the payment of delinquent fines several times over their
  low base (Haynes, Green, Gallagher, John, Torgerson 2013, trial AEARCTR-0000253).
- A large part cures by itself within days of the due date; to contact them costs and brings almost nothing.
- E-mails are opened by about one in five to one in three; almost all texts are seen; most calls of unknown numbers are
  not answered (trade press says 94 %), known creditors do better; letters are mostly read, days later.
- Who cannot pay is not moved by pressure, but keeps a plan that fits their income more often than a promise.
- Complaints, opt-outs and fatigue grow with the number of recent contacts; the levels are the ones usual in the trade
  (per contact: opt-outs around 1 %, complaints a few in a thousand). Declared from general knowledge, not measured.
"""

from typing import Literal

import msgspec

HabitName = Literal["self_curer", "forgetful", "delayer", "hardship", "insolvent", "disputing"]

HALF_LIFE_DAYS = 4.0
"""Of what a contact adds."""
MEMORY_DAYS = 20.0
"""In which the feeling of having been contacted too often fades to a third."""
STRONGEST = 3.2
"""Contacts together never add more log-odds than this."""
SPREAD = 0.45
"""Standard deviation, among customers of a habit, of every log-odds and of the logarithm of every factor."""

WAYS = ("email", "sms", "conversation", "voicemail", "letter")
"""How a contact is noticed, in the order of `Habit.moved`."""


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """The typical customer of one kind."""

    name: HabitName
    consumers: float
    businesses: float
    """Share of the accounts of either class."""
    early: float
    """Log-odds a day in the week before the due date."""
    due: float
    """Log-odds a day from two days before the due date to five after."""
    late: float
    """Log-odds a day later on."""
    fades: float
    """What `late` loses for each factor of e in weeks past due; negative = pays when it gets serious."""
    moved: tuple[float, float, float, float, float]
    """Log-odds that a noticed contact adds, in the order of `WAYS`."""
    promises: float
    """Per conversation; half of it per answered text or e-mail."""
    keeps: float
    """Per promise."""
    takes_plan: float
    """Per noticed offer of a plan."""
    keeps_plan: float
    """Per instalment."""
    part: float
    """Per payment: only a part."""
    bounces: float
    """Per payment: it fails."""
    reversed: float
    """Per payment: it goes back within weeks."""
    disputes: float
    """Per invoice."""
    touchy: float
    """Factor of complaints and opt-outs."""
    past_late: tuple[float, float]
    """Mean and standard deviation of days past due of paid invoices."""
    past_paid: float
    """Mean number of invoices paid in the year before."""


HABITS = (
    Habit(
        name="self_curer", consumers=0.36, businesses=0.44, early=-2.2, due=-1.3, late=-1.7, fades=0.3,
        moved=(0.3, 0.4, 0.5, 0.3, 0.3), promises=0.35, keeps=0.93, takes_plan=0.01, keeps_plan=0.97, part=0.02,
        bounces=0.01, reversed=0.004, disputes=0.005, touchy=0.8, past_late=(2, 5), past_paid=7,
    ),
    Habit(
        name="forgetful", consumers=0.21, businesses=0.15, early=-4.2, due=-3.6, late=-4.2, fades=0.1,
        moved=(1.9, 2.2, 2.4, 1.3, 1.8), promises=0.40, keeps=0.78, takes_plan=0.04, keeps_plan=0.93, part=0.05,
        bounces=0.03, reversed=0.006, disputes=0.01, touchy=0.7, past_late=(16, 12), past_paid=5,
    ),
    Habit(
        name="delayer", consumers=0.15, businesses=0.25, early=-5.5, due=-4.8, late=-4.6, fades=-0.25,
        moved=(0.3, 0.5, 1.5, 0.4, 1.6), promises=0.55, keeps=0.45, takes_plan=0.08, keeps_plan=0.75, part=0.15,
        bounces=0.05, reversed=0.01, disputes=0.03, touchy=1.0, past_late=(30, 15), past_paid=5,
    ),
    Habit(
        name="hardship", consumers=0.13, businesses=0.06, early=-5.5, due=-5.0, late=-5.0, fades=0.2,
        moved=(0.3, 0.3, 0.6, 0.1, 0.3), promises=0.50, keeps=0.35, takes_plan=0.45, keeps_plan=0.88, part=0.60,
        bounces=0.12, reversed=0.015, disputes=0.02, touchy=1.6, past_late=(32, 22), past_paid=3,
    ),
    Habit(
        name="insolvent", consumers=0.07, businesses=0.04, early=-7.0, due=-7.0, late=-7.0, fades=0.2,
        moved=(0.1, 0.1, 0.3, 0.0, 0.1), promises=0.40, keeps=0.12, takes_plan=0.20, keeps_plan=0.55, part=0.60,
        bounces=0.40, reversed=0.03, disputes=0.03, touchy=1.8, past_late=(45, 25), past_paid=2,
    ),
    Habit(
        name="disputing", consumers=0.08, businesses=0.06, early=-4.5, due=-4.0, late=-4.4, fades=0.2,
        moved=(0.2, 0.2, 0.5, 0.1, 0.3), promises=0.20, keeps=0.60, takes_plan=0.03, keeps_plan=0.80, part=0.25,
        bounces=0.03, reversed=0.02, disputes=0.45, touchy=2.5, past_late=(12, 12), past_paid=4,
    ),
)  # fmt: skip

NAMES: tuple[HabitName, ...] = tuple(habit.name for habit in HABITS)

# -- contacts ----------------------------------------------------------------------------------------------------------

NOTICES = {"email": 0.32, "sms": 0.88, "letter": 0.70}
"""That a delivered message is noticed. At its best hour; calls: ANSWERS."""
ANSWERS = {"creditor": 0.30, "third_party": 0.16}
"""That the customer picks up, at the best hour."""
LEAVES_VOICEMAIL = 0.45
"""Of the calls that nobody answers; the others just ring."""
WRONG_NUMBER = 0.03
"""Of the telephone numbers: they are somebody else's."""
BOUNCES = {"email": 0.02, "sms": 0.015, "letter": 0.01}
READ_AFTER_DAYS = {"letter": 3}
CLICKS = 0.35
"""Of the opened mails that hold a link; nobody pays because of it alone."""

OFF_HOURS = 0.45
"""What is left of noticing far from the customer's best hour."""
HOURS_WIDTH = 3.0

TIRES = 0.16
"""Each remembered contact weakens the next by so much of its logarithm."""
COMPLAINS = {"email": 0.0010, "sms": 0.0020, "call": 0.0040, "voicemail": 0.0020, "letter": 0.0008}
OPTS_OUT = {"email": 0.006, "sms": 0.012, "call": 0.005, "voicemail": 0.003, "letter": 0.0005}
"""Per noticed contact without any before it; each remembered contact multiplies both by 1 + GROWS."""
GROWS = 0.30
ANGRY = 0.6
"""Log-odds that a complaint takes from paying, for good."""
CEASES = 0.0015
"""Per noticed contact of a third party to a consumer: asks in writing to be left alone."""
REPLIES = 0.05
"""Per noticed text or e-mail."""
SAYS_HARDSHIP = 0.35
"""Per conversation with one in hardship or insolvent."""
RAISES_DISPUTE = 0.25
"""Per noticed contact of a disputing customer who has not disputed yet."""
PERSON = 0.9
"""Log-odds that being handed to a person adds, once: a case worker listens, checks and settles."""
PERSON_MINUTES = 12.0
CREDIT_HOLD = 0.8
"""Log-odds that a delivery stop adds for a business, while it lasts."""

COSTS = {"email": 0.2, "sms": 2.0, "call": 25.0, "voicemail": 25.0, "letter": 95.0}
"""US cents a contact, without a person's time."""
MINUTES = {"conversation": 5.0, "no_answer": 0.5, "voicemail": 1.0, "not_connected": 0.3, "wrong_party": 1.5}
MINUTE = 60.0
"""US cents for a minute of staff."""
COMPLAINT = 2_500.0
"""US cents to answer one."""

# -- what happens by itself, a day ------------------------------------------------------------------------------------

BANKRUPT = {"insolvent": 0.0012, "hardship": 0.0002}
"""Some 0.2 % of adults a year over all; these two habits hold nearly all of them."""
DIES = 0.00003
"""About 1 % a year."""
ATTORNEY = 0.00006
BREATHING = {"insolvent": 0.0012, "hardship": 0.0010}
"""Great Britain, consumers."""
FRAUD = 0.00003
HELD = 0.0003
VULNERABLE = 0.0001
DECLARES_HARDSHIP = {"hardship": 0.0020, "insolvent": 0.0010}
CONSENT_TAKEN_BACK = 0.0003
WRITES = 0.0010
"""Of its own accord."""
MAIL_STOPS = 0.0003
"""Asks for no more e-mail or texts, without having been contacted."""
