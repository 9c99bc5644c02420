"""A ledger becomes rows to learn from: what was known, what came of it, and a count of everything else."""

import csv
import json
import os
import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from models.calendar import DAY, instant, utc
from models.features.catalogue import FEATURES, NAMES
from models.features.history import SETTLED_AT_ONCE
from models.propensity.examples import Examples
from recoup.cli.features import features
from recoup.cli.main import recoup
from recoup.replay.cells import Cells
from recoup.replay.mapping import Mapping
from recoup.training.columns import guess
from recoup.training.dataset import TOO_EARLY, TOO_LATE, Dataset, outcomes
from recoup.training.ledger import BAD_INVOICES, BAD_ROWS, Request, dataset_of
from recoup.training.question import Question, moment_of, target_of
from recoup.training.warehouse import _Landed
from schemas.errors import BadInput
from tests.unit.models.events import day, issued, paid

ROOT = Path(__file__).parents[3]
NOW = instant(day(300))
MAPPING: dict[str, Any] = {
    "tenant_id": "shop",
    "currency": "USD",
    "dates": "%Y-%m-%d",
    "account": {"id": "cust"},
    "invoice": {"id": "inv", "amount": "amt", "issued_at": "issued", "due_at": "due"},
    "payment": {"paid_at": "paid"},
}
HEADER = "cust,inv,amt,issued,due,paid"
ROWS = [
    "c1,i1,100.00,2025-01-01,2025-01-31,2025-01-20",
    "c1,i2,50.00,2025-02-01,2025-03-03,2025-03-10",
    "c2,i3,80.00,2025-02-01,2025-03-03,",
    "c2,i4,20.00,2025-04-01,2025-05-01,2025-04-02",
    "c1,i5,70.00,2025-04-01,2025-05-01,",
]


def written(folder: Path, rows: list[str], header: str = HEADER, **changes: Any) -> tuple[Path, Path]:
    ledger, mapping = folder / "ledger.csv", folder / "mapping.yaml"
    ledger.write_text("\n".join([header, *rows, ""]))
    mapping.write_text(yaml.safe_dump(MAPPING | changes))
    return ledger, mapping


def learn(
    folder: Path,
    rows: list[str],
    header: str = HEADER,
    *,
    target: str = "paid_by_due",
    at: str = "issue",
    columns: tuple[str, ...] = (),
    skip_bad: bool = False,
    since: int | None = None,
    **changes: Any,
) -> Dataset:
    ledger, mapping = written(folder, rows, header, **changes)
    question = Question(target_of(target), moment_of(at), since)
    request = Request(ledger, mapping, question, columns, skip_bad)
    return dataset_of(request, folder / "no-tenants", NOW, lambda *_: None)


def came_of(examples: Examples) -> dict[str, str]:
    return dict(zip(examples.invoice_id.tolist(), examples.outcome.tolist(), strict=True))


def values(examples: Examples, column: str) -> dict[str, float]:
    x = examples.x[:, examples.columns.index(column)]
    return dict(zip(examples.invoice_id.tolist(), x.tolist(), strict=True))


def test_each_invoice_is_a_row_with_what_came_of_it(tmp_path):
    examples = learn(tmp_path, ROWS).examples
    assert came_of(examples) == {"i1": "paid", "i2": "unpaid", "i3": "unpaid", "i4": "unmatured", "i5": "unmatured"}
    assert examples.columns == NAMES
    assert examples.at.tolist() == sorted(examples.at.tolist())
    assert examples.data_end == instant(utc(1_743_638_400_000)) - 1  # the last day of all that is told
    assert dict(zip(examples.invoice_id.tolist(), examples.paid.tolist(), strict=True)) == {
        "i1": True, "i2": True, "i3": False, "i4": True, "i5": False
    }  # fmt: skip
    assert examples.days_to_pay[0] == pytest.approx(20, abs=0.001)
    assert values(examples, "closed_invoices") == {"i1": 0, "i2": 1, "i3": 0, "i4": 0, "i5": 2}


def test_the_order_of_the_file_changes_nothing(tmp_path):
    rows = ROWS.copy()
    first = learn(tmp_path, rows).examples
    random.Random(3).shuffle(rows)
    second = learn(tmp_path, rows).examples
    assert first.invoice_id.tolist() == second.invoice_id.tolist()
    np.testing.assert_array_equal(first.x, second.x)


def test_rows_that_ask_nothing_are_counted(tmp_path):
    entered = [f"{row},{'2025-03-20' if ',i3,' in row else ''}" for row in ROWS]
    invoice = MAPPING["invoice"] | {"known_at": "entered"}
    after_due = learn(tmp_path, entered, f"{HEADER},entered", invoice=invoice)
    assert after_due.left_out == {TOO_LATE: 1}
    assert "i3" not in came_of(after_due.examples)
    every = learn(tmp_path, ROWS, at="every:30d").examples
    assert (every.horizon_end > every.at).all()
    late = learn(tmp_path, ROWS, since=instant(utc(1_738_800_000_000)))
    assert late.left_out == {TOO_EARLY: 3}
    assert set(came_of(late.examples)) == {"i4", "i5"}


def test_a_late_posting_is_not_known_before_it_was_posted(tmp_path):
    rows = [
        "c1,i1,100.00,2025-01-01,2025-01-31,2025-01-20,2025-03-15",
        "c1,i2,50.00,2025-02-10,2025-03-12,2025-02-20,2025-02-20",
        "c1,i3,50.00,2025-04-10,2025-05-12,2025-06-20,",
    ]
    payment = {"paid_at": "paid", "known_at": "posted"}
    examples = learn(tmp_path, rows, f"{HEADER},posted", payment=payment).examples
    assert values(examples, "closed_invoices") == {"i1": 0, "i2": 0, "i3": 2}
    assert values(examples, "overdue_invoices")["i2"] == 1  # as far as anybody knew
    assert came_of(examples)["i1"] == "paid"  # which it was


DISPUTES = {
    "when": {"disputed": ["Yes"]},
    "opened_at": "opened",
    "resolved_at": "resolved",
    "known_at": "entered",
}


def test_a_back_dated_dispute_counts_from_its_day_and_is_known_from_its_entry(tmp_path):
    rows = [
        "c1,i1,100.00,2025-01-01,2025-01-31,,Yes,2025-01-10,,2025-03-01",
        "c1,i2,50.00,2025-02-10,2025-03-12,2025-02-20,No,,,",
        "c1,i3,50.00,2025-04-10,2025-05-12,2025-06-20,No,,,",
    ]
    examples = learn(tmp_path, rows, f"{HEADER},disputed,opened,resolved,entered", dispute=DISPUTES).examples
    assert values(examples, "open_disputes") == {"i1": 0, "i2": 0, "i3": 1}
    assert came_of(examples) == {"i1": "competing", "i2": "paid", "i3": "unpaid"}


def test_a_dispute_without_any_date_comes_out_with_the_payment_and_decides_nothing(tmp_path):
    rows = [
        "c1,i1,100.00,2025-01-01,2025-01-31,2025-03-01,Yes",
        "c1,i2,50.00,2025-02-10,2025-03-12,2025-02-20,No",
        "c1,i3,50.00,2025-04-10,2025-05-12,,Yes",
        "c1,i4,50.00,2025-06-20,2025-07-12,2025-08-20,No",
    ]
    dispute = {"when": {"disputed": ["Yes"]}}
    examples = learn(tmp_path, rows, f"{HEADER},disputed", dispute=dispute).examples
    assert values(examples, "dispute_rate") == {"i1": 0, "i2": 0, "i3": pytest.approx(1 / 3), "i4": 0.25}
    assert set(values(examples, "open_disputes").values()) == {0}
    assert came_of(examples) == {"i1": "unpaid", "i2": "paid", "i3": "unpaid", "i4": "unpaid"}


def test_a_row_a_payment_with_the_numbers_of_another_country(tmp_path):
    rows = [
        "c1;i1;1.500,50;01.01.2025;31.01.2025;20.01.2025;p1;1.000,00",
        "c1;i1;1.500,50;01.01.2025;31.01.2025;25.02.2025;p2;500,50",
        "c1;i2;2.000,00;01.03.2025;31.03.2025;30.03.2025;p3;2.000,00",
        "c1;i3;10,00;01.05.2025;31.05.2025;;;",
    ]
    examples = learn(
        tmp_path,
        rows,
        "cust;inv;amt;issued;due;paid;pay;sum",
        dates="%d.%m.%Y",
        delimiter=";",
        decimal=",",
        thousands=".",
        payment={"paid_at": "paid", "id": "pay", "amount": "sum"},
    ).examples
    assert came_of(examples) == {"i1": "unpaid", "i2": "paid", "i3": "unmatured"}
    assert values(examples, "amount") == {"i1": 1500.5, "i2": 2000.0, "i3": 10.0}


@pytest.mark.parametrize("amount", ["", "inf", "nan", "-5", "1e3", "twelve"])
def test_an_amount_that_is_none_is_an_error_with_its_line_and_column(amount, tmp_path):
    with pytest.raises(BadInput, match=r"(?s)line 3, column amt: .*--skip-bad to leave such rows out"):
        learn(tmp_path, [ROWS[0], f"c1,i2,{amount},2025-02-01,2025-03-03,2025-03-10", *ROWS[2:]])


def test_a_file_of_bad_rows_only_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="none of its 2 rows can be read"):
        learn(tmp_path, ["c1,i1,x,2025-02-01,2025-03-03,", "c1"], skip_bad=True)


def test_bad_rows_are_left_out_whole_and_counted(tmp_path):
    rows = [*ROWS, "c1,i6,70.00,2025-01-05,2025-02-01,2025-31-31", "c1,i7,nan,2025-01-05,2025-02-01,", "c1,short"]
    dataset = learn(tmp_path, rows, skip_bad=True)
    # An invoice whose payment cannot be read is not one that was left unpaid.
    assert set(came_of(dataset.examples)) == {"i1", "i2", "i3", "i4", "i5"}
    assert dataset.left_out == {BAD_ROWS: 3}


def test_with_a_row_a_payment_one_bad_row_spoils_its_invoice(tmp_path):
    rows = [
        "c1,i1,100.00,2025-01-01,2025-01-31,2025-01-20,p1,60.00",
        "c1,i1,100.00,2025-01-01,2025-01-31,2025-01-25,p2,4O.00",
        "c1,i2,50.00,2025-02-01,2025-03-03,2025-03-10,p3,50.00",
    ]
    payment = {"paid_at": "paid", "id": "pay", "amount": "sum"}
    dataset = learn(tmp_path, rows, f"{HEADER},pay,sum", payment=payment, skip_bad=True)
    assert set(came_of(dataset.examples)) == {"i2"}
    assert dataset.left_out == {BAD_ROWS: 1, BAD_INVOICES: 2}


def test_amounts_are_in_the_major_units_of_their_currency(tmp_path):
    rows = [f"{row},{currency}" for row, currency in zip(ROWS, ["USD", "EUR", "JPY", "USD", "USD"], strict=True)]
    rows[2] = rows[2].replace("80.00", "80")
    invoice = MAPPING["invoice"] | {"currency": "cur"}
    dataset = learn(tmp_path, rows, f"{HEADER},cur", invoice=invoice)
    assert values(dataset.examples, "amount")["i3"] == 80.0
    assert sorted(set(dataset.examples.currency.tolist())) == ["EUR", "JPY", "USD"]


@pytest.mark.parametrize(
    ("rows", "changes", "says"),
    [
        ([], {}, "holds a header and no rows"),
        (ROWS, {"payment": None}, "names no `payment` columns"),
        (["c1,i1,1.00,2025-01-01,2024-01-31,2025-01-20"], {}, "There is no row --at issue .*due date had passed"),
        (ROWS, {"features": {"settled": {"column": "paid", "known_at": "later"}}}, "only known later"),
        (ROWS, {"features": {"colour": {"column": "colour"}}}, "there is no column .colour."),
        (ROWS, {"features": {"colour": {"column": "amt", "kind": "colour"}}}, "features"),
    ],
)
def test_what_cannot_be_learned_from_is_said(rows, changes, says, tmp_path):
    with pytest.raises(BadInput, match=says):
        learn(tmp_path, rows, **changes)


# -- the ledger's own columns ------------------------------------------------------------------------------------------


def test_own_columns_stand_behind_the_features(tmp_path):
    own = ["Paper,12,yes,2025-01-11,7", "Mail,,no,,x", "Paper,1.5,,2025-02-01,inf", "Mail,nan,no,,9", ",2,yes,,1"]
    rows = [f"{row},{more}" for row, more in zip(ROWS, own, strict=True)]
    dataset = learn(
        tmp_path,
        rows,
        f"{HEADER},bill,size,vip,seen,rank",
        columns=("bill", "size", "vip", "seen"),
        features={"rank": {"column": "rank", "kind": "number"}},
    )
    examples = dataset.examples
    names = ("rank", "bill=Mail", "bill=Paper", "size", "vip", "seen")
    assert examples.ledger_columns == tuple(f"ledger.{name}" for name in names)
    assert examples.columns == (*NAMES, *examples.ledger_columns)
    nan = float("nan")
    expected = [
        [7, 0, 1, 12, 1, 10],
        [nan, 1, 0, nan, 0, nan],
        [nan, 0, 1, 1.5, nan, 0],
        [9, 1, 0, nan, 0, nan],
        [1, nan, nan, 2, 1, nan],
    ]
    order = [f"i{number}" for number in range(1, 6)]
    x = examples.x[[examples.invoice_id.tolist().index(name) for name in order], len(NAMES) :]
    np.testing.assert_array_equal(x, expected)
    assert "column rank: 2 of 5 cells are no number; they count as empty" in dataset.warnings
    assert any(note == "column seen was taken for a date" for note in dataset.notes)


def test_a_date_after_the_row_is_told(tmp_path):
    dataset = learn(tmp_path, ROWS, columns=("paid",))
    assert "column paid: in 3 of 5 rows its date lies after the decision; was it known then?" in dataset.warnings


def test_a_category_has_a_column_for_its_most_frequent_values_only(tmp_path):
    rows = [f"c{n // 30},i{n},1.00,2025-01-01,2025-01-31,2025-01-20,{n % 30}th" for n in range(45)]
    columns = learn(tmp_path, rows, f"{HEADER},town", columns=("town",)).examples.ledger_columns
    assert len(columns) == 10
    assert columns[0] == "ledger.town=0th"


def test_what_one_customer_alone_has_is_no_category(tmp_path):
    rows = [f"c{n % 3},i{n},1.00,2025-01-01,2025-01-31,2025-01-20,c{n % 3}@example.com" for n in range(45)]
    dataset = learn(tmp_path, rows, f"{HEADER},mail", columns=("mail",))
    assert dataset.examples.columns == NAMES
    assert "@" not in "".join((*dataset.notes, *dataset.warnings))
    assert "column mail holds no value that 2 accounts have; it is left out" in dataset.warnings


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "2.5", "", "-3e2"], "number"),
        (["1,000.5", "2"], "number"),
        (["inf", "nan", "7"], "number"),
        (["0", "1"], "number"),
        (["Yes", "no", ""], "flag"),
        (["2025-01-31", ""], "date"),
        (["2025-01-31", "soon"], "category"),
        (["Paper", "7"], "category"),
    ],
)
def test_the_kind_of_a_column_is_guessed(texts, kind):
    mapping = msgspec.convert(MAPPING | {"thousands": ","}, Mapping)
    assert guess(texts, Cells(mapping, "UTC", NOW)) == kind


# -- the commands ------------------------------------------------------------------------------------------------------


def ask(*arguments: object) -> Any:
    return CliRunner().invoke(features, [str(argument) for argument in arguments], catch_exceptions=False)


def test_features_writes_the_same_rows_as_csv_and_parquet(tmp_path):
    ledger, mapping = written(tmp_path, ROWS)
    given = ("--ledger", ledger, "--mapping", mapping, "--at", "issue", "--target", "paid_by_due", "--json", "--output")
    result = ask(*given, tmp_path / "rows.csv")
    assert result.exit_code == 0
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["rows"] == 5
    assert summary["outcomes"] == {"paid": 1, "unpaid": 2, "unmatured": 2}
    ask(*given, tmp_path / "rows.parquet")
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["invoice_id"] for row in rows] == [row["invoice_id"] for row in table] == ["i1", "i2", "i3", "i5", "i4"]
    assert rows[0]["at"] == "2025-01-01T00:00:00Z"
    for name in NAMES:
        assert [float(row[name]) if row[name] else None for row in rows] == [row[name] for row in table]
    assert not list(tmp_path.glob("*.part"))


def test_features_without_a_target_shows_no_label(tmp_path):
    ledger, mapping = written(tmp_path, ROWS)
    result = ask("--ledger", ledger, "--mapping", mapping, "--at", "every:7d", "--output", tmp_path / "rows.csv")
    assert "rows of 2 accounts at every:7d" in result.stdout
    assert "outcome" not in (tmp_path / "rows.csv").read_text().splitlines()[0]


def test_the_catalogue_is_listed():
    listed = json.loads(ask("--list", "--json").stdout)
    assert [feature["name"] for feature in listed] == list(NAMES)
    assert "open_disputes" in ask("--list").stdout
    assert all(feature.why and feature.unit and feature.events for feature in FEATURES)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["features", "--at", "every:0d"], "every:7d"),
        (["features", "--at", "sometimes"], "every:7d"),
        (["features"], "Give --ledger"),
        (["train", "--target", "paid_within:", "--at", "issue"], "paid_within:30"),
        (["train", "--target", "paid_by_due", "--at", "issue"], "--from-warehouse"),
        (["train", "--target", "paid_by_due", "--at", "issue", "--from-warehouse", "--feature", "x"], "no columns"),
        (["train", "--target", "paid_by_due", "--at", "issue", "--since", "1/2/2025"], "2026-01-31"),
    ],
)
def test_wrong_options_are_refused(arguments, says):
    result = CliRunner().invoke(recoup, arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_what_is_over_cannot_be_foretold():
    with pytest.raises(BadInput, match="the due date is over by then"):
        Question(target_of("paid_by_due"), moment_of("overdue"))


# -- the warehouse and the real ledger ---------------------------------------------------------------------------------


class Warehouse:
    """Stands for the tables."""

    def __init__(self, *messages: tuple[str, int, str, bytes]) -> None:
        self.landed = messages

    def messages(self, tenant_id: str) -> Any:
        assert tenant_id == "acme"
        return iter(self.landed)


def test_the_warehouse_tells_when_each_event_arrived():
    encode = msgspec.json.encode
    late = instant(day(9))
    warehouse: Any = Warehouse(
        ("a1", instant(day(0)), "payment-events", encode(issued("i1"))),
        ("a1", late, "payment-events", encode(paid("p1", 100_00, at=1))),
        ("a1", late, "payment-events", b"{}"),
        ("a1", late, "payment-events", encode(paid("p2", 100_00, at=10))),  # says that it happens tomorrow
        ("a2", late, "payment-events", encode(issued("i9"))),
    )
    landed = _Landed(warehouse, tolerance=300_000)
    first, second = landed.accounts(["acme"])
    assert [arrival.at for arrival in first.arrivals] == [instant(day(0)), late]
    assert [type(event).__name__ for event in first.happened] == ["InvoiceIssued", "PaymentReceived"]
    assert second.account_id == "a2"
    assert landed.unreadable == 3  # the message of another account among them


def test_the_real_ledger_is_labelled_whole():
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "ibm_late_payment"
    found = sorted(folder.glob("*.csv"))
    if not found:
        pytest.skip(f"the IBM late-payment ledger is not in {folder}; RECOUP_DATA names the folder above it")
    mapping = ROOT / "config/mappings/ibm_late_payment.yaml"
    question = Question(target_of("paid_by_due"), moment_of("issue"))
    dataset = dataset_of(Request(found[0], mapping, question), ROOT / "config/tenants", NOW, lambda *_: None)
    examples = dataset.examples
    assert outcomes(examples) == {"paid": 1589, "unpaid": 877}
    assert dataset.left_out == {}
    assert dataset.warnings == []
    assert examples.y[-740:].mean() == pytest.approx(0.705, abs=0.002)
    assert (examples.horizon_end - examples.at == 31 * DAY - 1).all()
    # Nobody knew at issue which invoice would be disputed; who had disputed before was known.
    assert values(examples, "open_disputes") == dict.fromkeys(examples.invoice_id.tolist(), 0.0)
    assert examples.x[:, NAMES.index("dispute_rate")].max() > 0.3
    assert SETTLED_AT_ONCE not in dataset.left_out
