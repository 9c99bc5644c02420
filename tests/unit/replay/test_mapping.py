"""A mapping that cannot work is refused before a row is read, with the field that is wrong."""

from pathlib import Path

import pytest

from recoup.replay.mapping import Mapping, read_mapping
from schemas.errors import BadInput

ROOT = Path(__file__).parents[3]

GOOD = """
tenant_id: ibm
currency: USD
dates: "%m/%d/%Y"
account: {id: customerID, country: countryCode}
invoice: {id: invoiceNumber, amount: InvoiceAmount, issued_at: InvoiceDate, due_at: DueDate}
payment: {paid_at: SettledDate}
dispute: {when: {Disputed: "Yes"}}
"""


def read(text: str, folder: Path) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text, "utf-8")
    return read_mapping(path)


def test_the_shipped_mapping_is_good():
    mapping = read_mapping(ROOT / "config/mappings/ibm_late_payment.yaml")
    assert mapping.tenant_id == "ibm"
    assert mapping.columns()["SettledDate"] == "payment.paid_at"
    assert mapping.columns()["Disputed"] == "dispute.when"
    assert mapping.days_only
    assert not mapping.names_addresses


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("currency: USD", "currency: USDX"), "`currency`"),
        (("currency: USD\n", ""), "`currency` is missing"),
        (("payment: {paid_at", "payment: {payed_at"), "`payment.payed_at` is not known here"),
        (("payment: {paid_at: SettledDate}", "payment: {}"), "`payment.paid_at` is missing"),
        (("id: customerID, ", ""), "`account.id` is missing"),
        (('dates: "%m/%d/%Y"', 'dates: "%m/%d"'), "`dates`: does not read a year"),
        (('dates: "%m/%d/%Y"', 'dates: "dd.mm.yyyy"'), "`dates`"),
        (('{Disputed: "Yes"}', "{Disputed: Yes}"), "put it in quotes"),
        (('{Disputed: "Yes"}', "{}"), "`dispute.when`"),
        (("tenant_id: ibm", "tenant_id: IBM|x"), "`tenant_id`"),
        (("currency: USD", "currency: USD\ntime_zone: Mars/Olympus"), "`time_zone`: is no IANA time zone"),
        (("currency: USD", "currency: USD\nencoding: klingon"), "`encoding`"),
        (("currency: USD", "currency: USD\nthousands: '.'"), "`thousands`"),
        (("payment: {paid_at: SettledDate}", "payment: {paid_at: SettledDate, id: P}"), "`payment.amount`"),
        (("tenant_id: ibm", "tenant_id: [ibm"), "line"),
        (("tenant_id: ibm", "- tenant_id: ibm"), "not YAML"),
    ],
)
def test_what_is_wrong_is_named(change, says, tmp_path):
    with pytest.raises(BadInput) as raised:
        read(GOOD.replace(*change), tmp_path)
    assert says in str(raised.value)
    assert "mapping.yaml" in str(raised.value)


def test_invoices_or_balances_but_not_neither(tmp_path):
    head = GOOD.split("invoice:", maxsplit=1)[0]
    with pytest.raises(BadInput, match="`invoice`"):
        read(head, tmp_path)
    assert read(head + "balance: {amount: Open, as_of: Day}", tmp_path).balance is not None


def test_a_missing_file_and_a_list_are_told_apart(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(BadInput, match="expected tenant_id"):
        read("[1, 2]", tmp_path)


def test_numbers_in_yaml_are_compared_as_text(tmp_path):
    text = GOOD.replace('{Disputed: "Yes"}', "{Disputed: [1, 2]}") + "values: {countryCode: {391: US}}"
    mapping = read(text, tmp_path)
    assert mapping.dispute is not None
    assert mapping.dispute.when == {"Disputed": ("1", "2")}
    assert mapping.values == {"countryCode": {"391": "US"}}
