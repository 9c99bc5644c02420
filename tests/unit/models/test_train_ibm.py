"""The IBM ledger: what is known to be possible on it is reached, with every candidate in the running."""

import pytest

from models.features.catalogue import NAMES
from models.propensity.evaluation import auc, brier
from models.propensity.train import train
from tests.unit.models.paid_ledgers import ibm, paid_ledger


def test_the_ibm_ledger_is_learned_as_well_as_is_known_to_be_possible():
    invoices, further = ibm()
    rows = paid_ledger(invoices, {"PaperlessBill": further["PaperlessBill"]})
    found = train(rows)
    y = rows.y[found.test]
    assert (found.n_train, found.n_test) == (1726, 740)
    assert set(found.card.features) <= {*NAMES, "PaperlessBill"}
    assert (auc(y, found.probabilities) or 0.0) >= 0.885
    assert brier(y, found.probabilities) <= 0.122
    assert auc(y, found.baseline) == pytest.approx(0.87, abs=0.01)
