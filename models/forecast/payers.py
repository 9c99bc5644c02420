"""How long after its due date each customer pays: a few kinds of payers, learned from open invoices as well as paid ones.

Each kind has a hazard: of what is open on a day, counted from the due date, the share that is paid on it. A customer is a
mixture of kinds by how they have paid so far and by what they have left open, so that one of whom little is known is
taken for an average one. (Latent classes with a discrete-time hazard, fitted by expectation maximisation: Vermunt, Log-
linear Models for Event Histories, 1997, ch. 5. A part of an invoice counts as that part of an observation.)
"""

import msgspec
import numpy as np

from models.forecast.ledger import Days, Exposures, Ledger, Numbers, Places, exposures

LOW, HIGH = -120, 365
"""Days past due that are told apart; later ones are alike."""
BINS = HIGH - LOW + 1

# Chosen by the log score of invoices and the error of weeks over the first half of the IBM ledger; see docs/forecast.md.
KINDS = 6
ACCOUNTS_OF_A_KIND = 8
"""With fewer accounts there are fewer kinds."""
HALF_LIFE = 240.0
"""Days after which an observation counts half."""
SMOOTH_DAYS = 2.0
"""Standard deviation of the kernel that smooths a kind's hazard."""
SHRINK = 2.0
"""As many invoices of the whole portfolio are added to a kind's on each day."""
LEVEL_DAYS = 42
LEVEL_SHRINK = 20.0
"""The hazards are brought to the level of so many last days, as if so many payments more had come as foreseen."""

TURNS = 40
SETTLED = 1e-2
"""No membership moves by more: the fit has settled."""
LEAST, MOST = 1e-6, 0.95
LEARNED_ACCOUNTS = 20_000
"""Kinds are learned from so many accounts at most; every account is then told which it is."""


class Payers(msgspec.Struct, frozen=True):
    """K kinds, A accounts."""

    hazard: Numbers
    """(K, BINS) Share of what is open that is paid on a day, from LOW to HIGH days past due."""
    member: Numbers
    """(A, K) How far each account is of each kind; rows sum to 1."""
    survival: Numbers
    """(K, BINS + 1) Log of the share that is still open when a day begins."""
    whole: float
    """How much of an invoice a payment pays, on average over money: 1 = all invoices are paid at once."""
    level: float
    """What the last weeks' payments were, over what the past had foreseen for them."""
    payments: float
    """So many did the level come from."""

    def open_still(self, past_due: Days) -> Numbers:
        """(K, ...) Log of the share that is still open when these days begin."""
        return _at(self.survival, self.hazard, past_due - LOW)

    def paid_by(self, past_due: Days, days: int) -> Numbers:
        """(K, len, days) Share of what is open now that is paid on each of the next days."""
        steps = self.open_still(past_due[:, None] + np.arange(days + 1))
        share = np.exp(steps - steps[:, :, :1])
        return np.asarray(share[:, :, :-1] - share[:, :, 1:], dtype=np.float64)


class _Spells(msgspec.Struct, frozen=True):
    """Exposures as places among the bins."""

    account: Places
    start: Places
    stop: Places
    share: Numbers
    paid: Numbers
    weight: Numbers

    def of(self, accounts: Places) -> "_Spells":
        kept = np.isin(self.account, accounts)
        return _Spells(*(getattr(self, name)[kept] for name in self.__struct_fields__))


def learn(known: Ledger, origin: int, accounts: int) -> Payers:
    """Learn from everything before `origin`.

    Args:
        known: the ledger as it was then.
        accounts: how many there are; who has no invoice is taken for an average payer.
    """
    watched = exposures(known, origin)
    age = origin - watched.stop
    spells = _Spells(
        account=watched.account,
        start=watched.start - watched.due - LOW,
        stop=watched.stop - watched.due - LOW,
        share=watched.share,
        paid=watched.paid,
        weight=0.5 ** (age / HALF_LIFE),
    )
    seen = np.unique(spells.account)
    some = seen if len(seen) <= LEARNED_ACCOUNTS else seen[:: -(-len(seen) // LEARNED_ACCOUNTS)]
    hazard, share = _kinds(spells if some is seen else spells.of(some), accounts, len(some))
    member = _members(spells, hazard, share, accounts)
    level, payments = _level(watched, hazard, member, origin)
    hazard = 1.0 - (1.0 - hazard) ** level
    paid = watched.paid * watched.amount
    return Payers(
        hazard=hazard,
        member=member,
        survival=_survival(hazard),
        whole=float((paid * watched.paid).sum() / paid.sum()) if paid.sum() > 0 else 1.0,
        level=level,
        payments=payments,
    )


def _kinds(spells: _Spells, accounts: int, learned: int) -> tuple[Numbers, Numbers]:
    """The hazard of each kind (K, BINS) and its share of the accounts (K,)."""
    kinds = max(1, min(KINDS, learned // ACCOUNTS_OF_A_KIND))
    weight = np.ones((len(spells.account), 1))
    average = _hazard(spells, weight, smooth_days=1.0, prior=np.full(BINS, 0.01), strength=0.1)[0]
    # Begin with kinds by how long an account leaves its invoices open.
    count = np.bincount(spells.account, minlength=accounts)
    length = np.bincount(spells.account, spells.stop - spells.start, minlength=accounts) / np.maximum(count, 1)
    order = np.flatnonzero(count)[np.argsort(length[count > 0], kind="stable")]
    member = np.full((accounts, kinds), 0.3 / kinds)
    member[order, np.arange(len(order)) * kinds // max(len(order), 1)] += 0.7
    for _ in range(TURNS if kinds > 1 else 1):
        hazard = _hazard(spells, member[spells.account], SMOOTH_DAYS, average, SHRINK)
        share = (member[order].sum(axis=0) + 1.0) / (len(order) + kinds)
        before, member = member, _members(spells, hazard, share, accounts)
        if np.abs(member - before)[order].max(initial=0.0) < SETTLED:
            break
    return hazard, share


def _hazard(spells: _Spells, member: Numbers, smooth_days: float, prior: Numbers, strength: float) -> Numbers:
    """(K, BINS) Paid over exposed, both smoothed along the days and joined by `strength` observations of the prior."""
    found = []
    start, stop, end = (np.clip(place, 0, BINS - 1) for place in (spells.start, spells.stop, spells.stop - 1))
    later = np.maximum(spells.stop - np.maximum(spells.start, BINS - 1), 0)
    for part in member.T:
        weight = spells.weight * part
        open_share = weight * spells.share
        change = np.bincount(start, open_share, minlength=BINS) - np.bincount(stop, open_share, minlength=BINS)
        exposed: Numbers = np.maximum(np.cumsum(change), 0.0).astype(np.float64)
        exposed[-1] = (open_share * later).sum()
        paid = np.bincount(end, weight * spells.paid, minlength=BINS).astype(np.float64)
        exposed, paid_share = _smooth(exposed, smooth_days), _smooth(paid, smooth_days)
        found.append((paid_share + strength * prior) / (exposed + strength))
    return np.clip(np.array(found), LEAST, MOST)


def _members(spells: _Spells, hazard: Numbers, share: Numbers, accounts: int) -> Numbers:
    """(A, K) How likely each account is of each kind, given its payments and what it left open."""
    survival = _survival(hazard)
    stayed = _at(survival, hazard, spells.stop) - _at(survival, hazard, spells.start)
    odds = np.log(hazard) - np.log1p(-hazard)
    likely = spells.share * stayed + spells.paid * odds[:, np.clip(spells.stop - 1, 0, BINS - 1)]
    told = np.array([np.bincount(spells.account, row * spells.weight, minlength=accounts) for row in likely]).T
    told = told + np.log(share)
    told = np.exp(told - told.max(axis=1, keepdims=True))
    return np.asarray(told / told.sum(axis=1, keepdims=True), dtype=np.float64)


def _level(watched: Exposures, hazard: Numbers, member: Numbers, origin: int) -> tuple[float, float]:
    """Payments of the last days over those that the hazards foresee, drawn towards 1; and how many there were."""
    start = np.maximum(watched.start, origin - LEVEL_DAYS)
    recent = watched.stop > start
    start, stop = (start - watched.due)[recent] - LOW, (watched.stop - watched.due)[recent] - LOW
    total = np.concatenate((np.zeros((len(hazard), 1)), np.cumsum(hazard, axis=1)), axis=1)
    step = hazard[:, -1:] * (np.maximum(stop - BINS, 0) - np.maximum(start - BINS, 0))
    foreseen = total[:, np.clip(stop, 0, BINS)] - total[:, np.clip(start, 0, BINS)] + step
    expected = float((watched.share[recent] * (member[watched.account[recent]].T * foreseen).sum(axis=0)).sum())
    came = float(watched.paid[recent].sum())
    return (came + LEVEL_SHRINK) / (expected + LEVEL_SHRINK), came


def _survival(hazard: Numbers) -> Numbers:
    return np.concatenate((np.zeros((len(hazard), 1)), np.cumsum(np.log1p(-hazard), axis=1)), axis=1)


def _at(survival: Numbers, hazard: Numbers, place: Places) -> Numbers:
    """The log survival at the start of a bin; past the last one its hazard goes on."""
    tail = np.log1p(-hazard[:, -1])
    beyond = np.maximum(place - BINS, 0)
    return np.asarray(
        survival[:, np.clip(place, 0, BINS)] + tail.reshape(-1, *([1] * place.ndim)) * beyond, dtype=np.float64
    )


def _smooth(values: Numbers, days: float) -> Numbers:
    """Along the bins, by a normal kernel; the last bin, which is many days, stays as it is."""
    reach = int(4 * days) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / days) ** 2)
    smooth = np.convolve(np.pad(values[:-1], reach), kernel / kernel.sum(), mode="valid")
    return np.append(smooth, values[-1])
