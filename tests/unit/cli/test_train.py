"""`recoup train` as a user meets it: a model or a clear word on why there is none, and never a silent bad one."""

import csv
import io
import json
import os
import random
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from datetime import date, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.model_store.settings import ModelSettings
from connectors.model_store.store import Store
from recoup.cli.main import main
from recoup.model_releases import plan
from schemas.errors import ModelRefused
from tests.trained_model import put

ROOT = Path(__file__).parents[3]
COLUMNS = ("customer", "invoice", "amount", "issued", "due", "paid", "terms", "currency")
MAPPING = """
tenant_id: shop
currency: USD
dates: "%Y-%m-%d"
account: {id: customer}
invoice: {id: invoice, amount: amount, issued_at: issued, due_at: due}
payment: {paid_at: paid}
"""
ASKED = ("--target", "paid_by_due", "--at", "issue", "--json")

Row = dict[str, str]


class Answer(msgspec.Struct):
    """What the user gets."""

    code: int
    report: dict[str, Any]
    """Empty = none."""
    errors: str
    store: Store


def run(
    home: Path, ledger: Iterable[Row] | bytes, *options: str, mapping: str = MAPPING, asked: tuple[str, ...] = ASKED
) -> Answer:
    """Run the command on rows, or on a file's bytes."""
    path, names = home / "ledger.csv", home / "mapping.yaml"
    path.write_bytes(ledger if isinstance(ledger, bytes) else as_csv(ledger))
    names.write_text(mapping)
    said, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(errors):
        patch.setenv("RECOUP_HOME", str(home))
        patch.setenv("RECOUP_TENANTS_DIR", str(home))
        patch.setattr(
            sys, "argv", ["recoup", "train", "--ledger", str(path), "--mapping", str(names), *asked, *options]
        )
        with pytest.raises(SystemExit) as ended:
            main()
    code = int(ended.value.code or 0)
    assert bool(list(home.glob("models/*/manifest.json"))) == (code == 0), "a model, or an error"
    said.seek(0)
    report = said.read()
    return Answer(code, json.loads(report) if report else {}, errors.getvalue(), Store(ModelSettings(), home))


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., Answer]:
    """Run the command in an empty home."""
    return partial(run, tmp_path)


def as_csv(rows: Iterable[Row]) -> bytes:
    lines = list(rows)
    names = list(lines[0]) if lines else list(COLUMNS)
    return "\n".join([",".join(names), *(",".join(row[name] for name in names) for row in lines), ""]).encode()


def invoices(count: int = 120, customers: int = 12) -> list[Row]:
    """Half of the customers mostly pay late."""
    chance = random.Random(5)
    rows = []
    for number in range(count):
        customer = number % customers
        issued = date(2024, 1, 1) + timedelta(days=2 * number)
        due = issued + timedelta(days=30)
        late = chance.random() < (0.8 if customer % 2 else 0.2)
        rows.append({
            "customer": f"c{customer}",
            "invoice": f"i{number}",
            "amount": f"{chance.randrange(1_000, 90_000) / 100:.2f}",
            "issued": str(issued),
            "due": str(due),
            "paid": str(due + timedelta(days=9 if late else -3)),
            "terms": "30",
            "currency": "USD",
        })  # fmt: skip
    return rows


def with_cells(column: str, *cells: str) -> list[Row]:
    """Good invoices, with these cells in the first ones."""
    rows = invoices()
    for row, cell in zip(rows, cells, strict=False):
        row[column] = cell
    return rows


# -- no model


def test_where_everybody_pays_in_time_there_is_nothing_to_learn(train):
    answer = train([row | {"paid": row["issued"]} for row in invoices()])
    assert answer.code == 2
    assert "labelled rows have one outcome, paid within paid_by_due" in answer.errors
    assert "another target" in answer.errors


def test_where_nobody_ever_pays_there_is_nothing_to_learn(train):
    answer = train([row | {"paid": ""} for row in invoices()])
    assert answer.code == 2
    assert "have one outcome, not paid within paid_by_due" in answer.errors


def test_ten_rows_are_too_few(train):
    answer = train(invoices(10))
    assert answer.code == 2
    assert "of 10 rows have a label, and 50 is the least" in answer.errors


def test_customers_who_differ_in_nothing_cannot_be_told_apart(train):
    rows = [
        row | {"customer": row["invoice"], "amount": "10.00", "issued": "2024-01-01", "due": "2024-01-31",
               "paid": "2024-01-20" if number % 2 else "2024-03-01"}
        for number, row in enumerate(invoices())
    ]  # fmt: skip
    answer = train(rows)
    assert answer.code == 2
    assert "features varies among the" in answer.errors


def test_a_column_that_the_file_lacks_is_named(train):
    answer = train(as_csv(invoices()).replace(b"amount", b"amounts", 1))
    assert answer.code == 2
    assert 'ledger.csv line 1: there is no column "amount", which' in answer.errors
    assert "Is it `amounts`?" in answer.errors
    answer = train(invoices(), "--feature", "score")
    assert (answer.code, 'there is no column "score"' in answer.errors) == (2, True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "ledger.csv: is empty; expected a header with customer, invoice, amount"),
        (b"\n\n", "ledger.csv: is empty"),
        (as_csv([]), "holds a header and no rows"),
        (b"PAR1\x15\x04\xff\xfe\x80", "is not utf-8 text"),
        (b"%PDF-1.7\nan invoice\n", "The header is one cell: is `delimiter` in"),
        (b'{"customer": "c1", "invoice": 7}', 'there is no column "customer"'),
    ],
    ids=["empty", "blank", "header", "parquet", "pdf", "json"],
)
def test_what_is_no_ledger_is_said_to_be_none(train, content, says):
    answer = train(content)
    assert answer.code == 2
    assert says in answer.errors


@pytest.mark.parametrize(
    ("target", "at", "says"),
    [
        ("paid_sometime", "issue", "'paid_sometime' is not paid_by_due or paid_within:30"),
        ("paid_within:0", "issue", "'paid_within:0' is not"),
        ("paid_by_due", "payday", "'payday' is not issue, overdue or every:7d"),
        ("paid_by_due", "overdue", "the due date is over by then"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_can(train, target, at, says):
    answer = train(invoices(), asked=("--target", target, "--at", at))
    assert answer.code == 2
    assert says in answer.errors


# -- bad rows


@pytest.mark.parametrize("cell", ["inf", "-inf", "nan", "", "1e999", "ten"])
def test_an_amount_that_is_none_is_named_with_its_line_and_can_be_left_out(train, cell):
    answer = train(with_cells("amount", "7.00", cell))
    assert answer.code == 2
    assert "ledger.csv line 3, column amount: " in answer.errors
    assert "--skip-bad" in answer.errors


# -- a model, with a word on it


def test_one_customer_is_enough_and_is_warned_of(train):
    chance = random.Random(3)
    rows = [row | {"customer": "c1", "paid": row["due"] if chance.random() < 0.5 else ""} for row in invoices()]
    answer = train(rows)
    assert answer.code == 0
    assert "All rows are of one customer: what is learned says nothing about any other." in answer.report["warnings"]


def run_with_flaws(home: Path, seed: int) -> Answer:
    """Learn from a ledger with about everything in it that can be done without, its rows in any order."""
    rows = with_cells("amount", "inf", "nan", "", "7.00")
    for row, terms, currency in zip(rows[3:], ["inf", "nan", "", "-inf"] + ["30"] * 113, cycle(["EUR", "USD"])):
        row |= {"terms": terms, "currency": currency}
    random.Random(seed).shuffle(rows)
    mapping = MAPPING.replace("due_at: due}", "due_at: due, currency: currency}")
    return run(home, rows, "--skip-bad", "--feature", "terms", mapping=mapping)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """Learned once for several tests."""
    return run_with_flaws(tmp_path_factory.mktemp("mended"), 1)


def test_bad_rows_are_left_out_on_request_and_counted(mended):
    assert mended.code == 0
    assert mended.report["left_out"]["rows of the file that cannot be read"] == 3
    assert mended.report["rows"] == 117


def test_constant_missing_and_infinite_values_of_a_column_are_nothing_to_learn_from(mended):
    assert "column terms: 3 of 117 cells are no number; they count as empty" in mended.report["warnings"]
    assert "ledger.terms" not in mended.store.manifest(mended.report["model_id"]).features


def test_amounts_in_several_currencies_are_not_compared(mended):
    assert "2 currencies (EUR, USD): left out: amount" in "\n".join(mended.report["warnings"])
    assert "amount" not in mended.store.manifest(mended.report["model_id"]).features


def test_the_same_ledger_gives_the_same_model_in_whatever_order_its_rows_are(mended, tmp_path):
    assert run_with_flaws(tmp_path, 2).report == mended.report


# -- the ledger that everybody can try


@pytest.fixture(scope="module")
def ibm() -> tuple[list[Row], str]:
    """The rows of the ledger, and its mapping."""
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "ibm_late_payment"
    found = sorted(folder.glob("*.csv"))
    if not found:
        pytest.skip(f"the IBM late-payment ledger is not in {folder}; RECOUP_DATA names the folder above it")
    with found[0].open(newline="") as file:
        return list(csv.DictReader(file)), (ROOT / "config/mappings/ibm_late_payment.yaml").read_text()


def test_the_ledger_is_learned_as_well_as_is_known_to_be_possible(ibm, train):
    rows, mapping = ibm
    answer = train(as_csv(rows), mapping=mapping)
    assert answer.code == 0
    report = answer.report
    assert (report["n_train"], report["n_test"]) == (1726, 740)
    assert report["auc"] >= 0.885
    assert report["brier"] <= 0.122 < report["brier_base"]
    assert report["ece"] <= 0.03
    assert report["baseline_auc"] == pytest.approx(0.87, abs=0.01)
    assert f"{report['baseline_auc']:.3f}" in answer.errors, "shown to people as well"
    assert report["days_to_pay_mae"] < report["days_to_pay_mae_base"]
    assert report["leaks"] == []
    assert plan(answer.store, {}, report["model_id"], "ibm", "champion").override is None


def test_columns_that_know_the_answer_are_named_and_keep_the_model_from_being_released(ibm, train):
    rows, mapping = ibm
    chance = random.Random(1)
    known_later = ("DaysLate", "SettledDate", "Disputed", "noisy")
    noisy = [row | {"noisy": f"{int(row['DaysLate']) * 2 + chance.gauss(0, 1):.2f}"} for row in rows]
    answer = train(as_csv(noisy), *(word for name in known_later for word in ("--feature", name)), mapping=mapping)
    assert answer.code == 0
    leaks = [warning for warning in answer.report["warnings"] if warning.startswith("leak: ")]
    for name in known_later:
        assert [leak for leak in leaks if f"ledger.{name}" in leak], name
    assert "so `recoup models release` refuses it" in answer.errors
    model_id = answer.report["model_id"]
    for override in (None, "we want it"):  # no event brings a ledger's own columns: nothing can let it through
        with pytest.raises(ModelRefused, match="which no event brings"):
            plan(answer.store, {}, model_id, "ibm", "champion", override)
    servable = put(answer.store, leaks=answer.store.manifest(model_id).leaks)
    with pytest.raises(ModelRefused, match=r"it knows what it should not: ledger\.DaysLate"):
        plan(answer.store, {}, servable, "ibm", "champion")
    assert plan(answer.store, {}, servable, "ibm", "champion", "a rehearsal").override == "a rehearsal"
