"""The final account adds up, or says what is missing."""

import msgspec
import pytest

from recoup.demo.books import Books, differences

GOOD = Books(
    messages={"payment-events": 100, "crm-events": 50, "interaction-events": 10, "payment-events.dlq": 4, "tenants": 2},
    applied=150,
    dropped={"duplicate": 6},
    dead_lettered={"not_json": 3, "unknown_tenant": 1},
    rows={"payment-events": 100, "crm-events": 50, "interaction-events": 10, "payment-events.dlq": 4, "tenants": 2},
    places={"payment-events": 100, "crm-events": 50, "interaction-events": 10, "payment-events.dlq": 4, "tenants": 2},
)


def test_books_that_add_up_show_no_difference():
    assert GOOD.produced == GOOD.handled == 160
    assert differences(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"applied": 149}, "160 events were produced and 159 were applied, dropped or dead-lettered (-1)"),
        ({"applied": 151}, "160 events were produced and 161 were applied, dropped or dead-lettered (+1)"),
        ({"rows": GOOD.rows | {"crm-events": 49}}, "crm-events holds 50 messages and its table 49 rows (-1)"),
        ({"places": GOOD.places | {"crm-events": 49}}, "crm-events: 1 rows are there twice"),
        ({"rows": {**GOOD.rows, "audit-logs": 1}}, "audit-logs holds 0 messages and its table 1 rows (+1)"),
        (
            {"dead_lettered": {"not_json": 3}, "applied": 151},
            "3 events were refused and 4 are in the dead-letter topics",
        ),
    ],
)
def test_what_is_missing_or_too_much_is_named(change, said):
    assert said in differences(msgspec.structs.replace(GOOD, **change))
