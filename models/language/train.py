"""Train the text model on the checked-in examples: `python -m models.language.train` writes `weights.json` beside them.

scikit-learn is needed here and nowhere else in this package. The same examples give the same file.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from models.language.model import SCALE, Weights, features
from models.language.words import plain, shortened, words
from schemas.interactions import Intent

HERE = Path(__file__).parent
INTENTS: tuple[Intent, ...] = get_args(Intent)
SEEN = 2
"""A feature that fewer examples show is left out: it can only be learned by heart."""
SMALLEST = 4
"""Hundredths; a feature with no weight above is left out."""
STRENGTH = 1.0
"""Inverse of the penalty on the weights: of 0.5, 1, 2 and 4 the one that says most held-out groups rightly when it is sure."""


class Example(NamedTuple):
    """One labelled reply."""

    language: str
    intent: Intent
    group: str
    """One thing said in several ways: kept together when examples are held out."""
    text: str


def examples() -> list[Example]:
    """The examples of all languages, in the order of their files."""
    return list(_examples())


def _examples() -> Iterator[Example]:
    for path in sorted((HERE / "examples").glob("*.yaml")):
        told = msgspec.yaml.decode(path.read_bytes(), type=dict[Intent, list[list[str]]])
        for intent, groups in told.items():
            for number, texts in enumerate(groups):
                for text in texts:
                    yield Example(path.stem, intent, f"{path.stem}/{intent}/{number}", text)


def examples_hash(taken: Iterable[Example]) -> str:
    """What the weights say of the examples that they come from."""
    return hashlib.sha256(msgspec.json.encode(list(taken))).hexdigest()[:16]


def shown(text: str) -> set[str]:
    """The features of a text."""
    small = plain(text)
    return features(words(shortened(small)), asks="?" in small)


def train(taken: list[Example]) -> Weights:
    """The weights that fit the examples best; every intent counts alike, however many examples it has."""
    rows = [shown(example.text) for example in taken]
    counts = Counter(feature for row in rows for feature in row)
    kept = [{feature: 1.0 for feature in sorted(row) if counts[feature] >= SEEN} for row in rows]
    vectorizer = DictVectorizer(sparse=True)
    matrix = vectorizer.fit_transform(kept)
    labels = [INTENTS.index(example.intent) for example in taken]
    fit = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2_000).fit(matrix, labels)
    table = (fit.coef_.T * SCALE).round().astype(int)
    names = vectorizer.get_feature_names_out()
    return Weights(
        examples=examples_hash(taken),
        intents=INTENTS,
        bias=tuple(int(value) for value in (fit.intercept_ * SCALE).round()),
        weights={
            str(name): tuple(int(value) for value in row)
            for name, row in zip(names, table, strict=True)
            if max(abs(row)) >= SMALLEST
        },
    )


def main() -> None:
    """Write `weights.json` anew."""
    taken = examples()
    made = train(taken)
    written = msgspec.json.format(msgspec.json.encode(made), indent=0) + b"\n"
    (HERE / "weights.json").write_bytes(written)
    sys.stdout.write(f"{len(taken)} examples, {len(made.weights)} features, {len(written):,} bytes.\n")


if __name__ == "__main__":
    main()
