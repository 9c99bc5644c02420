"""Simulated time is cut into whole days without a gap, and a replay rests on what its manifest says."""

import datetime as dt
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import DAY, HOUR, Zone
from recoup.replay.buckets import cut
from recoup.replay.ledger import Sent
from recoup.replay.manifest import manifest_of
from recoup.replay.mapping import Mapping
from recoup.replay.tenant import base_tenant, live_from
from schemas.errors import BadInput

BERLIN = Zone("Europe/Berlin")
START = int(dt.datetime(2020, 3, 27, 12, tzinfo=dt.UTC).timestamp() * 1000)
"""Two days before a day of 23 hours in Berlin."""

MAPPING = msgspec.convert(
    {
        "tenant_id": "bakery",
        "currency": "EUR",
        "dates": "iso",
        "account": {"id": "a"},
        "invoice": {"id": "i", "amount": "m", "issued_at": "f", "due_at": "d"},
    },
    Mapping,
)


def sent(at: int) -> Sent:
    return Sent(at, 0, str(at), "payment-events", b"k", b"v")


@given(
    offsets=st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=50),
    hours=st.sampled_from([1, 6, 24, 168]),
)
def test_every_message_lies_in_the_one_bucket_of_its_time(offsets, hours):
    messages = sorted(sent(START + offset) for offset in offsets)
    buckets = list(cut(messages, BERLIN, hours=hours))
    assert [message for bucket in buckets for message in bucket.messages] == messages
    assert [bucket.number for bucket in buckets] == list(range(len(buckets)))
    before = 0
    for bucket in buckets:
        assert all(before <= message.at < bucket.until for message in bucket.messages)
        assert bucket.until > before
        before = bucket.until
    assert [bucket.last for bucket in buckets] == [False] * (len(buckets) - 1) + [True]
    assert not buckets[-1].messages


def test_days_begin_at_the_zones_midnight_also_when_the_clocks_change():
    untils = [bucket.until for bucket in cut([sent(START), sent(START + 4 * DAY)], BERLIN)]
    lengths = [(later - earlier) // HOUR for earlier, later in itertools.pairwise(untils)]
    assert lengths[:4] == [24, 23, 24, 24]
    assert BERLIN.wall(untils[0]) % DAY == 0


def test_a_replay_may_go_on_after_its_last_message():
    buckets = list(cut([sent(START)], BERLIN, end=START + 10 * DAY))
    assert len(buckets) == 12
    assert buckets[-2].until > START + 10 * DAY
    assert list(cut([], BERLIN)) == []


def test_a_tenant_without_a_file_gets_an_ordinary_schedule_and_is_live_before_its_ledger(tmp_path):
    tenant = live_from(base_tenant(MAPPING, tmp_path), START, {"EUR", "CHF"})
    assert (tenant.tenant_id, tenant.currencies[:2]) == ("bakery", ("CHF", "EUR"))
    assert tenant.live_since is not None
    assert tenant.live_since < dt.datetime.fromtimestamp(START / 1000, dt.UTC)
    assert [step.at_days for step in tenant.strategy.steps] == [-3, 1, 7, 14, 30, 45]


def test_a_tenants_own_file_says_how_it_collects(tmp_path):
    (tmp_path / "bakery.yaml").write_text(
        "tenant_id: bakery\nname: Bakery\ncurrencies: [EUR]\ntime_zone: Europe/Berlin\nlive_since: 2025-01-01T00:00:00Z\n"
        "strategy: {name: own, steps: [{id: one, at_days: 5, channel: letter, template: t}]}\n"
    )
    tenant = live_from(base_tenant(MAPPING, tmp_path), START, {"EUR"})
    assert (tenant.name, tenant.time_zone, tenant.strategy.name) == ("Bakery", "Europe/Berlin", "own")
    assert tenant.live_since is not None
    assert tenant.live_since.year == 2020
    with_zone = base_tenant(msgspec.structs.replace(MAPPING, time_zone="America/New_York"), tmp_path)
    assert with_zone.time_zone == "America/New_York"
    (tmp_path / "bakery.yaml").write_text("tenant_id: bakery\n")
    with pytest.raises(BadInput):
        base_tenant(MAPPING, tmp_path)


def test_a_manifest_changes_with_everything_that_decisions_rest_on(tmp_path):
    ledger, mapping = tmp_path / "l.csv", tmp_path / "m.yaml"
    ledger.write_text("a")
    mapping.write_text("b")
    tenant = base_tenant(MAPPING, tmp_path)

    def digest(**changes: object) -> str:
        return manifest_of(
            ledger, mapping, [msgspec.structs.replace(tenant, **changes)], bucket_hours=24, until="x"
        ).digest

    first = digest()
    assert first == digest()
    assert first != digest(name="Other")
    assert first != manifest_of(ledger, mapping, [tenant], bucket_hours=12, until="x").digest
    ledger.write_text("c")
    assert first != digest()
