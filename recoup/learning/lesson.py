"""What a log taught: the learned section, and how its predictions stand against what came of other accounts' decisions."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import yaml

from models.actions.learning import WAITED, Decile, Examples, deciles, learn, predicted
from recoup.learning.story import Gathered, examples_of
from schemas.strategies import ActionStrategy, Learned

KEY = "learned:"
JUDGED = 3
"""One account in so many is kept apart to judge the predictions by."""


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned, and how far it can be trusted."""

    learned: Learned
    decisions: int
    accounts: int
    waits: int
    deciles: list[Decile]
    """Predicted against realised uplift, of accounts that those predictions were not learned of."""


def teach(strategy: ActionStrategy, logs: Sequence[Gathered], at: dt.datetime, source: str) -> Lesson:
    """Learn from logs.

    Raises:
        BadInput: nothing in them can be learned from.
    """
    examples = examples_of(logs)
    judged = examples.account % JUDGED == 0
    apart = learn(strategy, part_of(examples, ~judged), at, source)
    others = part_of(examples, judged)
    return Lesson(
        learned=learn(strategy, examples, at, source),
        decisions=len(examples.action),
        accounts=len(np.unique(examples.account)),
        waits=int((examples.action == WAITED).sum()),
        deciles=deciles(predicted(strategy, apart, others), others),
    )


def part_of(examples: Examples, rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Examples:
    """Some of the rows."""
    return Examples(**{name: getattr(examples, name)[rows] for name in Examples.__struct_fields__})


def with_learned(text: str, learned: Learned) -> str:
    """A strategy's file with this `learned` section in the place of its own; the rest stays as it is, comments too."""
    kept: list[str] = []
    skipping = False
    for line in text.splitlines():
        if line and not line[0].isspace():
            skipping = line.startswith(KEY)
        if not skipping:
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    said = yaml.safe_dump(
        {"learned": msgspec.to_builtins(learned)}, sort_keys=False, default_flow_style=None, width=120
    )
    return "\n".join(kept) + "\n" + said


def write(path: Path, to: Path, learned: Learned) -> None:
    """Write the strategy of a file with what was learned to a file, which may be the same."""
    to.write_text(with_learned(path.read_text("utf-8-sig"), learned), encoding="utf-8")
