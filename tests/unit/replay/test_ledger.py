"""A ledger becomes events in the order of their time, and every row is accounted for."""

import datetime as dt
import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.replay.cells import Cells, Unreadable
from recoup.replay.ledger import Ledger, Sent, read_ledger
from recoup.replay.mapping import Mapping, read_mapping
from schemas.currencies import CURRENCIES, decimals
from schemas.decode import Refusal, TopicDecoder
from schemas.errors import BadInput

ROOT = Path(__file__).parents[3]
NOW = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
ANY_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
HEADER = "cust,land,inv,amt,issued,due,paid,disputed"
MAPPING: dict[str, Any] = {
    "tenant_id": "shop",
    "currency": "USD",
    "dates": "%m/%d/%Y",
    "account": {"id": "cust", "country": "land"},
    "invoice": {"id": "inv", "amount": "amt", "issued_at": "issued", "due_at": "due"},
    "payment": {"paid_at": "paid"},
    "dispute": {"when": {"disputed": ["Yes"]}},
}


def read(text: str | bytes, folder: Path, *, skip_bad: bool = False, zone: str = "UTC", **changes: Any) -> Ledger:
    path = folder / "ledger.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    mapping = msgspec.convert(MAPPING | changes, Mapping)
    return read_ledger(path, mapping, "mapping.yaml", Cells(mapping, zone, NOW), skip_bad=skip_bad)


def parsed(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(sent.value) for sent in ledger.messages]


def kinds(ledger: Ledger) -> list[str]:
    return [message["type"] for message in parsed(ledger) if message["type"] != "contact_point.updated"]


decoder = cache(TopicDecoder)


def refusals(ledger: Ledger) -> list[Refusal]:
    answers = (decoder(sent.topic)(sent.value, sent.key, ANY_TIME) for sent in ledger.messages)
    return [answer for answer in answers if isinstance(answer, Refusal)]


ROW = "c1,391,i1,55.94,1/2/2013,2/1/2013,1/15/2013,No"


def test_a_row_is_an_invoice_and_its_payment(tmp_path):
    ledger = read(f"{HEADER}\n{ROW}\n", tmp_path)
    assert kinds(ledger) == ["account.updated", "invoice.issued", "payment.received"]
    invoice = next(m for m in parsed(ledger) if m["type"] == "invoice.issued")
    assert invoice["amount_minor"] == 5594
    assert invoice["occurred_at"] == "2013-01-02T00:00:00Z"
    assert invoice["due_at"] == "2013-02-01T23:59:59.999000Z"
    payment = parsed(ledger)[-1]
    assert payment["occurred_at"] == "2013-01-15T23:59:59.999000Z"
    assert payment["allocations"] == [{"invoice_id": "i1", "amount_minor": 5594}]
    assert (ledger.invoices, ledger.accounts, ledger.paid_minor) == (1, 1, {"USD": 5594})
    assert refusals(ledger) == []


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_a_byte_order_mark_change_nothing(ends, mark, tmp_path):
    plain = read(f"{HEADER}\n{ROW}\n", tmp_path)
    text = ends.join(["", HEADER, "", ROW, ",,,,,,,", "   ", ""])
    assert read(mark + text.encode(), tmp_path).messages == plain.messages


def test_columns_may_stand_in_any_order_with_others_between(tmp_path):
    plain = read(f"{HEADER}\n{ROW}\n", tmp_path)
    other = read(
        "x,disputed,paid, due ,issued,amt,inv,land,cust\n"
        '"a ""b"", c",No,1/15/2013,2/1/2013,1/2/2013,"55.94",i1,391,c1\n',
        tmp_path,
    )
    assert other.messages == plain.messages


def test_events_are_in_the_order_of_time_then_of_their_kind(tmp_path):
    rows = ["c1,391,i2,1,2/1/2013,3/1/2013,,No", "c1,391,i1,1,1/1/2013,2/1/2013,2/1/2013,Yes"]
    ledger = read("\n".join([HEADER, *rows]), tmp_path)
    assert [sent.at for sent in ledger.messages] == sorted(sent.at for sent in ledger.messages)
    assert kinds(ledger) == [
        "account.updated",
        "invoice.issued",
        "dispute.opened",
        "invoice.issued",
        "payment.received",
        "dispute.resolved",
    ]


def test_an_account_changes_only_when_a_later_row_says_so(tmp_path):
    rows = [
        "c1,US,i3,1,3/1/2013,3/9/2013,,No",
        "c1,391,i1,1,1/1/2013,2/1/2013,,No",
        "c1,,i4,1,4/1/2013,4/9/2013,,No",
        "c1,391,i2,1,2/1/2013,3/1/2013,,No",
    ]
    changes = [m for m in parsed(read("\n".join([HEADER, *rows]), tmp_path)) if m["type"] == "account.updated"]
    assert [(m["occurred_at"][:10], m["country"]) for m in changes] == [("2013-01-01", "391"), ("2013-03-01", "US")]


def test_days_are_those_of_the_zone(tmp_path):
    ledger = read(f"{HEADER}\n{ROW}\n", tmp_path, zone="America/New_York")
    invoice = next(m for m in parsed(ledger) if m["type"] == "invoice.issued")
    assert invoice["occurred_at"] == "2013-01-02T05:00:00Z"
    assert invoice["due_at"] == "2013-02-02T04:59:59.999000Z"


def test_dates_with_a_time_and_an_offset_are_taken_as_they_are(tmp_path):
    row = "c1,391,i1,1,2013-01-02T10:30:00+02:00,2013-02-01,2013-01-15T08:00:00Z,No"
    invoice, payment = [m for m in parsed(read(f"{HEADER}\n{row}", tmp_path, dates="iso")) if "amount_minor" in m]
    assert invoice["occurred_at"] == "2013-01-02T08:30:00Z"
    assert invoice["due_at"] == "2013-02-01T23:59:59.999000Z"
    assert payment["occurred_at"] == "2013-01-15T08:00:00Z"


def test_a_ledger_without_addresses_takes_accounts_to_be_reachable_unless_told_otherwise(tmp_path):
    text = f"{HEADER}\n{ROW}\n"
    assumed = [m for m in parsed(read(text, tmp_path)) if m["type"] == "contact_point.updated"]
    assert {m["channel"] for m in assumed} == {"email", "call", "sms", "letter"}
    assert {m["address"] for m in assumed} == {"replay:c1"}
    plain = read(text, tmp_path, assume_reachable=False)
    assert not [m for m in parsed(plain) if m["type"] == "contact_point.updated"]
    named = read(text, tmp_path, account={"id": "cust", "email": "land"})
    assert [m["address"] for m in parsed(named) if m["type"] == "contact_point.updated"] == ["391"]


# -- what is wrong is said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("c1,391,i1,55.94,1/2/2013,31/02/2013,,No", "due", '"31/02/2013" is not a date of the form %m/%d/%Y'),
        ("c1,391,i1,55.94,,2/1/2013,,No", "issued", '"" is not a date'),
        ("c1,391,i1,55.94,1/2/2213,2/1/2013,,No", "issued", "not in the years"),
        ("c1,391,i1,55.94,1/2/2113,2/1/2113,,No", "issued", "lies in the future"),
        ("c1,391,i1,55.94,1/2/2013,2/1/2013,soon,No", "paid", '"soon" is not a date'),
        ("c1,391,i1,55.945,1/2/2013,2/1/2013,,No", "amt", "has more decimals than USD"),
        ("c1,391,i1,-5,1/2/2013,2/1/2013,,No", "amt", "is not more than nothing"),
        ("c1,391,i1,0.00,1/2/2013,2/1/2013,,No", "amt", "is not more than nothing"),
        ("c1,391,i1,1e3,1/2/2013,2/1/2013,,No", "amt", "is not an amount of money"),
        ("c1,391,i1,NaN,1/2/2013,2/1/2013,1/3/2013,Yes", "amt", "is not an amount of money"),
        ("c1,391,i1,99999999999999999,1/2/2013,2/1/2013,,No", "amt", "too large"),
        ("c1,391,,5,1/2/2013,2/1/2013,1/3/2013,Yes", "inv", "is empty"),
        (",391,i1,5,1/2/2013,2/1/2013,1/3/2013,Yes", "cust", "is empty"),
        ("c1,391,i1,5,1/2/2013,2/1/2013", "(all)", "it has 6 cells"),
        (f"{'c' * 201},391,i1,5,1/2/2013,2/1/2013,,No", "cust", "length <= 200"),
    ],
)
def test_a_bad_row_is_named_by_line_and_column_and_can_be_skipped_into_the_dead_letters(row, column, says, tmp_path):
    text = f"{HEADER}\nc9,391,i9,1,1/1/2013,1/9/2013,1/5/2013,Yes\n\n{row}"
    with pytest.raises(BadInput) as raised:
        read(text, tmp_path)
    message = str(raised.value)
    assert f"ledger.csv line 4, column {column}: " in message
    assert says in message
    assert "2 rows were read; nothing has been sent." in message
    assert "--skip-bad" in message

    ledger = read(text, tmp_path, skip_bad=True)
    assert {fault.line for fault in ledger.faults} == {4}
    assert refusals(ledger), "the pipeline would take the bad row"
    good = read("\n".join(text.splitlines()[:2]), tmp_path)
    assert set(good.messages) <= set(ledger.messages)
    assert ledger.paid_minor == good.paid_minor
    assert ledger.invoices - good.invoices == sum(b'"i1"' in s.value for s in accepted(ledger, "invoice.issued"))


def accepted(ledger: Ledger, kind: str) -> list[Sent]:
    return [
        sent
        for sent in ledger.messages
        if f'"{kind}"'.encode() in sent.value
        and not isinstance(decoder(sent.topic)(sent.value, sent.key, ANY_TIME), Refusal)
    ]


def test_only_the_first_faults_are_listed(tmp_path):
    rows = [f"c1,391,i{n},x,1/2/2013,2/1/2013,,No" for n in range(30)]
    with pytest.raises(BadInput, match=r"\.\.\. and 20 more"):
        read("\n".join([HEADER, *rows]), tmp_path)


def test_a_row_repeated_word_for_word_is_sent_again_for_the_pipeline_to_drop(tmp_path):
    ledger = read(f"{HEADER}\n{ROW}\n{ROW}", tmp_path)
    events = [m["event_id"] for m in parsed(ledger) if m["type"] in ("invoice.issued", "payment.received")]
    assert len(events) == 4
    assert len(set(events)) == 2
    assert (ledger.invoices, ledger.repeated, ledger.paid_minor) == (1, 1, {"USD": 5594})


def test_an_invoice_id_with_two_contents_is_an_error(tmp_path):
    other = ROW.replace("55.94", "55.95")
    with pytest.raises(BadInput, match="line 3, column inv: the invoice stands on line 2 already, with other values"):
        read(f"{HEADER}\n{ROW}\n{other}", tmp_path)
    ledger = read(f"{HEADER}\n{ROW}\n{other}", tmp_path, skip_bad=True)
    assert [refusal.reason for refusal in refusals(ledger)] == ["missing_field"]
    assert (ledger.invoices, ledger.paid_minor) == (1, {"USD": 5594})


def test_several_payments_of_an_invoice_are_told_apart_by_their_ids(tmp_path):
    header = HEADER + ",pid,pamt"
    rows = [f"{ROW},p1,50.00", f"{ROW.replace('1/15', '1/16')},p2,5.94", f"{ROW},p1,50.00"]
    payment = {"paid_at": "paid", "id": "pid", "amount": "pamt"}
    ledger = read("\n".join([header, *rows]), tmp_path, payment=payment)
    assert kinds(ledger).count("invoice.issued") == 1
    assert ledger.paid_minor == {"USD": 5594}
    ids = [m["event_id"] for m in parsed(ledger) if m["type"] == "payment.received"]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    with pytest.raises(BadInput, match="the payment stands on line 2 with other values"):
        read("\n".join([header, rows[0], rows[0].replace("50.00", "51.00")]), tmp_path, payment=payment)


def test_a_missing_column_is_named_with_what_may_be_meant(tmp_path):
    with pytest.raises(BadInput) as raised:
        read(f"{HEADER.replace('issued', 'Issued')}\n{ROW}", tmp_path)
    assert 'there is no column "issued", which mapping.yaml names as invoice.issued_at. Is it `Issued`?' in str(
        raised.value
    )


def test_a_doubled_column_is_refused(tmp_path):
    with pytest.raises(BadInput, match='the column "amt"'):
        read(f"{HEADER},amt\n{ROW},1", tmp_path)


def test_another_delimiter_and_another_decimal_point(tmp_path):
    text = f"{HEADER}\n{ROW}".replace(",", ";").replace("55.94", "1.055,94")
    with pytest.raises(BadInput, match=r"is `delimiter` in mapping\.yaml right"):
        read(text, tmp_path)
    assert read(text, tmp_path, delimiter=";", decimal=",", thousands=".").paid_minor == {"USD": 105594}


def test_an_encoding_that_is_not_that_of_the_file_is_told(tmp_path):
    text = f"{HEADER}\n{ROW.replace('c1', 'Müller')}".encode("cp1252")
    with pytest.raises(BadInput, match="is not utf-8 text"):
        read(text, tmp_path)
    assert "Müller" in parsed(read(text, tmp_path, encoding="cp1252"))[0]["account_id"]


def test_an_empty_file_and_a_header_alone_are_refused(tmp_path):
    with pytest.raises(BadInput, match="is empty"):
        read("\r\n\r\n", tmp_path)
    with pytest.raises(BadInput, match="no rows"):
        read(HEADER, tmp_path)


def test_balances_become_one_invoice_or_money_on_account(tmp_path):
    text = "cust,open,day\nc1,100.00,1/2/2013\nc2,-5,1/2/2013\nc3,0,1/2/2013\n"
    changes: dict[str, Any] = {
        "invoice": None,
        "payment": None,
        "dispute": None,
        "balance": {"amount": "open", "as_of": "day"},
    }
    ledger = read(text, tmp_path, account={"id": "cust"}, assume_reachable=False, **changes)
    assert kinds(ledger) == ["invoice.issued", "payment.received"]
    assert refusals(ledger) == []
    assert (ledger.accounts, ledger.paid_minor) == (2, {"USD": 500})


@given(
    minor=st.integers(1, 10**15),
    currency=st.sampled_from(sorted(CURRENCIES)),
)
def test_money_is_exact_in_every_currency(minor, currency):
    mapping = msgspec.convert(MAPPING, Mapping)
    digits = decimals(currency)
    cells = Cells(mapping, "UTC", NOW)
    assert cells.money(str(Decimal(minor).scaleb(-digits)), currency) == minor
    with pytest.raises(Unreadable):
        cells.money(f"1.{'0' * digits}1", currency)


def test_the_real_ledger_is_read_to_the_cent():
    folder = Path(os.environ.get("RECOUP_DATA", ROOT.parent / "shared" / "data")) / "ibm_late_payment"
    found = sorted(folder.glob("*.csv"))
    if not found:
        pytest.skip(f"the IBM late-payment ledger is not in {folder}; RECOUP_DATA names the folder above it")
    mapping = read_mapping(ROOT / "config/mappings/ibm_late_payment.yaml")
    ledger = read_ledger(found[0], mapping, "mapping", Cells(mapping, "UTC", NOW))
    assert (ledger.rows, ledger.invoices, ledger.accounts) == (2466, 2466, 100)
    assert ledger.paid_minor == {"USD": 147_703_18}
    assert refusals(ledger) == []
