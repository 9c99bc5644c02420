"""What a trained model says of itself; its id is the hash of everything in it but who made it and when.

So the same data and the same code give the same id, and a model that was changed by a byte no longer has its own.
"""

import re
from hashlib import sha256
from typing import Any, Literal

import msgspec

from models.clock import Instant

FORMAT = 1
"""Of the folder; a higher one was written by a newer Recoup."""
MANIFEST = "manifest.json"
SCORECARD = "scorecard.json"
REPORT = "report.html"

ID = re.compile(r"[0-9a-f]{16}")
"""A model's id, matched whole."""
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)?")
"""Name of a file of a model, matched whole; at most one folder deep."""

NOT_HASHED = ("model_id", "created_at", "author")


class Data(msgspec.Struct, frozen=True):
    """What it was trained on. Instants are those of the rows, 0 = unknown."""

    kind: Literal["ledger", "warehouse"]
    name: str
    """Of the file, without its folder, or of the database."""
    sha256: str
    """Of the file, or of the rows."""
    rows: int
    first_at: Instant = 0
    last_at: Instant = 0
    train_until: Instant = 0
    test_from: Instant = 0


class Bins(msgspec.Struct, frozen=True):
    """How one column was distributed: value x is in bin number `count(edges <= x)`."""

    edges: tuple[float, ...]
    """Ascending."""
    counts: tuple[int, ...]
    """Rows in each bin, those without a value last: two more than edges."""


class Reference(msgspec.Struct, frozen=True):
    """What training saw, for drift to be measured against."""

    features: dict[str, Bins] = {}
    """Every column of the catalogue, whether the model uses it or not."""
    score: Bins = Bins((), (0, 0))
    """The calibrated probability."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model's `manifest.json`. Fields that are added have defaults, so that older ids stay as they are."""

    model_id: str = ""
    """See `with_id`."""
    format: int
    created_at: Instant = 0
    author: str = ""
    target: str
    """`paid_by_due`, or `paid_within:30`."""
    moment: str
    """`issue`, `overdue`, or `every:7d`."""
    horizon_days: int
    """For `propensity-scores`; 30 where the target is the due date."""
    features: tuple[str, ...]
    """Of the scorecard, in its order."""
    features_hash: str
    """The catalogue's `FEATURES_HASH` when it was trained."""
    candidate: str
    """The kind of model that was chosen."""
    data: Data
    metrics: dict[str, int | float | None]
    """Of the test rows, such as `auc`, `baseline_auc`, `ece`; None = could not be measured."""
    warnings: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    """What the leak detector found; a model with any is released with a recorded reason or not at all."""
    currencies: tuple[str, ...] = ()
    """That its amounts were in; amounts in another one would be read as if they were in these."""
    reference: Reference = Reference()
    versions: dict[str, str]
    """Of python, numpy, scikit-learn and recoup."""
    code: str
    """The git revision, with `+dirty` when it was changed, or the version of the package."""
    files: dict[str, str] = {}
    """Name -> SHA-256 of every other file of the folder."""


def with_id(manifest: Manifest) -> Manifest:
    """The manifest with its own id; everything that is hashed must be in it."""
    return msgspec.structs.replace(manifest, model_id=id_of(encode(manifest)))


def id_of(content: bytes) -> str:
    """The id that a manifest's bytes have, whatever they claim; raises `msgspec.MsgspecError` when they are no object.

    It is taken from what is written and not from what is understood, so that a field nobody knows changes it too.
    """
    fields: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    hashed = {name: value for name, value in fields.items() if name not in NOT_HASHED}
    return sha256(msgspec.json.encode(hashed, order="sorted")).hexdigest()[:16]


def encode(manifest: Manifest) -> bytes:
    """The manifest as JSON for people, the same bytes for the same manifest."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """The manifest of JSON; raises `msgspec.MsgspecError` when it is none."""
    return msgspec.json.decode(content, type=Manifest)
