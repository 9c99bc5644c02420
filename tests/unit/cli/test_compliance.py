"""`recoup compliance`: cases are answered line by line, bad lines say why, and the rules are shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recoup.cli.compliance import compliance
from recoup.compliance.check import answers
from schemas.errors import BadInput

ACCOUNT = {"collector_role": "creditor", "debt_class": "consumer", "country": "US", "state": "OH"} | {
    "time_zones": ["America/New_York"]
}
GOOD: dict[str, Any] = {
    "case": "c1",
    "at": "2026-03-03T20:59:59-05:00",
    "contact": {"channel": "call", "debt_id": "d1"},
    "account": ACCOUNT,
}


def changed(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in (GOOD | fields).items() if value is not ...}


def checked(*lines: Any, raw: bytes | None = None) -> Result:
    text = raw if raw is not None else "\n".join(json.dumps(line) for line in lines).encode()
    return CliRunner().invoke(compliance, ["check", "-"], input=text)


def only(line: Any) -> Any:
    return json.loads(checked(line).stdout)


def test_a_contact_that_is_allowed_says_so_and_that_it_is_allowed_at_once():
    assert only(GOOD) == {
        "case": "c1",
        "allowed": True,
        "denied_by": [],
        "reasons": [],
        "next_allowed_at": "2026-03-04T01:59:59Z",
    }


def test_a_denied_contact_names_the_rules_their_reasons_and_when_it_is_allowed():
    answer = only(changed(at="2026-03-07T21:00:00-05:00"))
    assert answer["denied_by"] == ["HR-2"]
    assert answer["reasons"] == ["Outside 08:00-21:00 where the customer is."]
    assert answer["next_allowed_at"] == "2026-03-08T12:00:00Z", "the clock is put forward that night"


@pytest.mark.parametrize(
    "account", [..., None, {}, [], "", dict.fromkeys(ACCOUNT), {**dict.fromkeys(ACCOUNT, ""), "time_zones": []}]
)
def test_an_account_of_which_nothing_is_known_is_denied_and_no_bad_line(account: Any):
    result = checked(changed(account=account))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["denied_by"] == [
        *("unknown_collector_role", "unknown_country", "unknown_debt_class", "unknown_time_zones")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("collector_role", "lawyer"),
        ("debt_class", "mixed"),
        ("country", "UK"),
        ("country", "USA"),
        ("state", "XX"),
        ("state", None),
        ("time_zones", ["Mars/Olympus_Mons"]),
        ("time_zones", ["America/New_York", ""]),
        ("time_zones", ["America/New_York", "nowhere"]),
    ],
)
def test_a_value_that_is_no_code_is_unknown(field: str, value: Any):
    answer = only(changed(account={**ACCOUNT, field: value}))
    expected = [] if value == ["America/New_York", ""] else [f"unknown_{field}"]
    assert answer["denied_by"] == expected


@pytest.mark.parametrize(
    ("place", "unknown"),
    [
        ({}, True),
        ({"city": "", "zip": "abc"}, True),
        ({"city": "Albany"}, False),
        ({"zip": "12207-1234"}, False),
        ({"zip": 10001}, False),
    ],
)
def test_in_the_state_of_new_york_the_city_must_be_known(place: dict[str, Any], *, unknown: bool):
    answer = only(changed(account={**ACCOUNT, "state": "ny", **place}))
    assert answer["denied_by"] == (["unknown_city"] if unknown else [])


@pytest.mark.parametrize(
    ("place", "binds"),
    [
        ({"city": "BROOKLYN"}, True),
        ({"city": " staten  island "}, True),
        ({"city": "The Bronx"}, True),
        ({"city": "Astoria"}, True),
        ({"city": "New York, NY"}, True),
        ({"zip": "11201-0001"}, True),
        ({"zip": "11004"}, True),
        ({"zip": "11003"}, False),
        ({"city": "Yonkers", "zip": "10701"}, False),
        ({"city": "Albany", "zip": "10463"}, True),
    ],
)
def test_new_york_city_is_known_by_name_or_zip(place: dict[str, Any], *, binds: bool):
    line = changed(
        contact={"channel": "email"}, account={**ACCOUNT, "state": "NY", **place}, at="2026-09-01T12:00:00-04:00"
    )
    assert only(line)["denied_by"] == (["NYC-1"] if binds else [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([1], ["expected an object"]),
        (changed(at=...), ["`at`", "missing"]),
        (changed(at="2026-03-03T20:59:59"), ["`at`", "offset"]),
        (changed(at="2026-02-30T12:00:00Z"), ["`at`"]),
        (changed(at=1_770_000_000), ["`at`"]),
        (changed(at="1066-10-14T09:00:00Z"), ["`at`", "1990"]),
        (changed(contact=...), ["`contact`", "missing"]),
        (changed(contact={}), ["contact.channel", "missing"]),
        (changed(contact={"channel": "fax"}), ["contact.channel", "voicemail"]),
        (changed(contact={"channel": "call", "mode": "robot"}), ["contact.mode", "artificial"]),
        (changed(contact={"channel": "call", "purpose": "fun"}), ["contact.purpose", "collection"]),
        (changed(account=[1]), ["`account`"]),
        (changed(facts="none"), ["`facts`", "list"]),
        (changed(history=[{"at": "2026-03-03T12:00:00", "channel": "call"}]), ["history[0].at", "offset"]),
        (changed(history=[{"at": "2026-03-03T12:00:00Z", "channel": "fax"}]), ["history[0].channel"]),
        (changed(history=[{"at": "2026-03-03T12:00:00Z", "channel": "call", "outcome": "?"}]), ["history[0].outcome"]),
        (changed(facts=[{"type": "hold.placed"}]), ["facts[0].occurred_at", "missing"]),
        (changed(facts=[{"type": "hold.placed", "occurred_at": "2026-03-03T12:00:00"}]), ["facts[0].occurred_at"]),
        (changed(facts=[{"type": "magic", "occurred_at": "2026-03-03T12:00:00Z"}]), ["facts[0].type", "crm-events"]),
        (
            changed(facts=[{"type": "opt_out.received", "channel": "fax", "occurred_at": "2026-03-03T12:00:00Z"}]),
            ["facts[0]", "opt_out.received", "channel"],
        ),
        (
            changed(facts=[{"type": "opt_out.received", "occurred_at": "2029-03-03T12:00:00Z"}]),
            ["facts[0]", "channel"],
        ),
    ],
)
def test_a_bad_line_says_what_is_wrong_with_it(line: Any, words: list[str]):
    result = checked(line)
    answer = json.loads(result.stdout)
    assert result.exit_code == 2
    assert answer.keys() == {"case", "error"}
    assert all(word in answer["error"] for word in words), answer["error"]


def test_the_other_lines_are_answered_in_their_order_and_blank_ones_are_none():
    raw = b"\n".join(
        [b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), b"", b"{", b"   ", b"\xff", json.dumps(GOOD).encode()]
    )
    result = checked(raw=raw)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("allowed") for line in found] == [True, None, None, True]
    assert [line["case"] for line in found] == ["c1", None, None, "c1"]
    assert result.exit_code == 2
    assert "2 lines" in result.stderr


def test_a_line_that_is_nested_too_deeply_is_a_bad_line():
    assert checked(raw=b'{"case": "deep", "facts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}").exit_code == 2


def test_lines_are_answered_as_they_come():
    def come():
        yield json.dumps(GOOD).encode()
        raise AssertionError("the second line was asked for too early")

    assert json.loads(next(answers(come())).text)["allowed"] is True


def test_what_comes_later_is_not_known_and_what_comes_at_that_moment_is():
    def held(at: str) -> Any:
        line = changed(facts=[{"type": "hold.placed", "occurred_at": at}], at="2026-03-03T12:00:00-05:00")
        return only(line)["denied_by"]

    assert held("2026-03-03T17:00:00.001Z") == []
    assert held("2026-03-03T17:00:00Z") == ["ST-6"]


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", None])
def test_a_hold_until_the_end_of_time_has_no_end(until: str | None):
    held = {"type": "hold.placed", "until": until, "occurred_at": "2026-03-01T12:00:00Z"}
    answer = only(changed(facts=[held]))
    assert (answer["denied_by"], answer["next_allowed_at"]) == (["ST-6"], None)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_at_the_ends_of_the_calendar_are_just_long_ago_or_not_yet(at: str):
    told = {"facts": [{"type": "hardship.ended", "occurred_at": at}], "history": [{"at": at, "channel": "call"}]}
    assert only(GOOD | told)["allowed"]


def test_a_zone_that_is_named_twice_is_one():
    account = {**ACCOUNT, "collector_role": "third_party", "time_zones": ["America/New_York", "America/New_York"]}
    assert only(changed(account=account, at="2026-03-03T21:00:00-05:00"))["denied_by"] == ["HR-2", "RF-4"]


def test_the_order_of_facts_does_not_matter():
    facts = [
        {"type": "opt_out.received", "channel": "sms", "occurred_at": "2026-02-02T12:00:00Z"},
        {"type": "consent.changed", "channel": "sms", "state": "granted", "occurred_at": "2026-02-01T12:00:00Z"},
        {"type": "consent.changed", "channel": "sms", "state": "granted", "occurred_at": "2026-02-03T12:00:00Z"},
    ]
    line = changed(contact={"channel": "sms"})
    assert only(line | {"facts": facts})["allowed"]
    assert only(line | {"facts": facts[::-1]})["allowed"]
    assert only(line | {"facts": facts[:2]})["denied_by"] == ["TC-1", "TC-2"]


def test_an_address_is_the_same_however_it_is_written():
    contact = {"channel": "sms", "contact_point": {"address": "+1 (617) 555-0100"}}
    consent = {"type": "consent.changed", "channel": "sms", "state": "granted", "address": "+16175550100"}
    assert only(changed(contact=contact, facts=[consent | {"occurred_at": "2026-02-01T12:00:00Z"}]))["allowed"]


def test_a_file_is_read_like_standard_input(tmp_path: Path):
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(GOOD) + "\n", "utf-8")
    result = CliRunner().invoke(compliance, ["check", str(file)])
    assert (result.exit_code, json.loads(result.stdout)["allowed"]) == (0, True)


def test_the_rules_are_shown_for_people_and_for_programs():
    text = CliRunner().invoke(compliance, ["rules", "--pack", "us-nyc"]).stdout
    assert "NYC-1" in text
    assert "from 2026-09-01" in text
    assert "RF-1" not in text
    found = json.loads(CliRunner().invoke(compliance, ["rules", "--json"]).stdout)
    assert len(found) == 58
    assert {"id", "says", "where", "evaluated", "source", "reviewed"} <= found[0].keys()
    with pytest.raises(BadInput, match="us-nyc"):
        CliRunner().invoke(compliance, ["rules", "--pack", "us-ny"], catch_exceptions=False)
