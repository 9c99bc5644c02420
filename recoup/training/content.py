"""What a training report is filled with: plain numbers and words, which go into `report.json` as they are."""

import msgspec

from models.clock import Instant
from models.propensity.evaluation import DaysEvaluation, Evaluation
from models.propensity.groups import Group
from models.propensity.importance import Importances
from models.propensity.leaks import Leak


class CandidateRow(msgspec.Struct, frozen=True):
    """A model that competed, on the validation rows."""

    name: str
    log_loss: float
    auc: float | None
    chosen: bool = False
    yardstick: bool = False
    """With interactions between features: shows what they would add, is never served."""


class DataSummary(msgspec.Struct, frozen=True):
    """What it was trained and tried on."""

    source: str
    """Name of the file or database, without its folder."""
    rows: int
    """Moments at which an invoice was looked at."""
    train: int
    test: int
    left_out: dict[str, int] = {}
    """Reason -> rows, or what makes no row."""
    accounts: int = 0
    currencies: tuple[str, ...] = ()
    first_at: Instant = 0
    """Of the rows; 0 = not known, here and below."""
    last_at: Instant = 0
    train_until: Instant = 0
    test_from: Instant = 0
    notes: tuple[str, ...] = ()
    """What was taken for granted, such as the kind of a column."""


class ReportContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report shows; judgements are of the test rows."""

    target: str
    """`paid_by_due`, or `paid_within:30`."""
    moment: str
    """`issue`, `overdue`, or `every:7d`."""
    candidate: str
    """The kind of model that was chosen."""
    baseline_name: str = "the customer's own share paid on time"
    model: Evaluation
    baseline: Evaluation
    yardstick: Evaluation | None = None
    days: DaysEvaluation | None = None
    importance: Importances
    groups: list[Group] = []
    candidates: list[CandidateRow] = []
    leaks: list[Leak] = []
    warnings: list[str] = []
    data: DataSummary
