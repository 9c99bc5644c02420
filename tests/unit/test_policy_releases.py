"""A strategy's release is signed whole, keeps the way back, and a worker takes only what it can trust."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.model_store.policy_signing import check_policy_signature, sign_policy
from connectors.model_store.settings import ModelSettings
from connectors.model_store.signing import make_key
from models.clock import SetClock
from recoup.policy_releases import InForce, check_ends, deciding, found_in, plan, plan_rollback, signed
from recoup.settings import Settings
from recoup.worker_answers import Asked
from schemas.control import PolicyReleased
from schemas.errors import BadInput, ModelRefused
from schemas.strategies import ActionStrategy, Explore, HoldOut
from streams.decide.policies import Policies

KEY = b"k" * 32
UNTIL = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def strategy(name: str, **fields: Any) -> ActionStrategy:
    return ActionStrategy(name=name, **fields)


def released(*releases: PolicyReleased) -> InForce:
    return {(release.tenant_id, release.role): release for release in releases}


def at(release: PolicyReleased, minute: int, key: bytes = KEY) -> PolicyReleased:
    when = dt.datetime(2026, 3, 2, 12, minute, tzinfo=dt.UTC)
    return sign_policy(msgspec.structs.replace(release, occurred_at=when, event_id=f"r{minute}"), key)


def test_the_way_back_is_the_way_it_came():
    one, two, three = (strategy(name) for name in ("one", "two", "three"))
    in_force = released(plan({}, one, "acme", "policy"))
    in_force = released(plan(in_force, two, "acme", "policy"))
    in_force = released(plan(in_force, three, "acme", "policy"))
    assert in_force["acme", "policy"].previous == (two, one)
    back = plan_rollback(in_force, "acme", "policy")
    assert (back.strategy, back.previous) == (two, (one,))
    last = plan_rollback(released(plan_rollback(released(back), "acme", "policy")), "acme", "policy")
    assert (last.policy, last.strategy) == ("", None)
    with pytest.raises(BadInput, match="no way back"):
        plan_rollback(released(last), "acme", "policy")


def test_a_tenant_that_went_back_is_decided_for_by_what_all_tenants_have():
    everybody, own = strategy("everybody"), strategy("own")
    in_force = released(plan({}, everybody, "*", "policy"), plan({}, own, "acme", "policy"))
    assert deciding(in_force, "acme", "policy") == own
    in_force |= released(plan_rollback(in_force, "acme", "policy"))
    assert deciding(in_force, "acme", "policy") == everybody
    assert deciding(in_force, "acme", "shadow") is None


def test_the_same_strategy_twice_is_one_step_of_the_way():
    one = strategy("one")
    again = plan(released(plan({}, one, "acme", "policy")), one, "acme", "policy")
    assert again.previous == ()


def test_a_release_says_what_is_tried_out_and_who_is_held_out():
    held = HoldOut(share=0.1, experiment="spring", ends_at=UNTIL)
    release = plan({}, strategy("one", explore=Explore(share=0.05), hold_out=held), "acme", "policy")
    assert (release.explore_share, release.hold_out_share, release.experiment) == (0.05, 0.1, "spring")
    assert release.policy.startswith("nba:one@")


def test_a_hold_out_that_is_over_is_refused():
    over = strategy("one", hold_out=HoldOut(share=0.1, experiment="spring", ends_at=UNTIL))
    check_ends(over, SetClock(0))
    with pytest.raises(BadInput, match="has ended on 2026-06-01"):
        check_ends(over, SetClock(10**13))


@pytest.mark.parametrize(
    "changes",
    [{"tenant_id": "other"}, {"role": "shadow"}, {"strategy": strategy("another")}, {"previous": (strategy("x"),)},
     {"released_by": "m"}, {"occurred_at": UNTIL}, {"explore_share": 0.5}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_nothing_of_a_signed_release_can_be_changed(changes):
    release = sign_policy(plan({}, strategy("one"), "acme", "policy"), KEY)
    check_policy_signature(release, KEY)
    with pytest.raises(ModelRefused, match="signature"):
        check_policy_signature(msgspec.structs.replace(release, **changes), KEY)


def test_without_a_key_nothing_is_taken():
    with pytest.raises(ModelRefused, match="no key"):
        check_policy_signature(sign_policy(plan({}, strategy("one"), "acme", "policy"), KEY), None)


def test_only_what_was_signed_here_is_a_way_back(tmp_path: Path):
    settings = ModelSettings()
    good = sign_policy(plan({}, strategy("one"), "acme", "policy"), make_key(settings, tmp_path))
    forged = sign_policy(plan({}, strategy("two"), "shop", "policy"), KEY)
    assert signed(released(good, forged), settings, tmp_path) == released(good)


def test_an_old_release_that_is_sent_again_under_another_key_is_not_in_force():
    old, new = at(plan({}, strategy("one"), "acme", "policy"), 1), at(plan({}, strategy("two"), "acme", "policy"), 2)
    messages = {b"acme|policy": msgspec.json.encode(new), b"shop|policy": msgspec.json.encode(old), b"x": b"no release"}
    assert found_in(messages) == released(new)


@pytest.fixture
def worker(tmp_path: Path) -> Policies:
    (tmp_path / "models.key").write_bytes(KEY)
    return Policies(Settings(home=tmp_path))


def sent(worker: Policies, release: PolicyReleased) -> None:
    worker.take(f"{release.tenant_id}|{release.role}".encode(), msgspec.json.encode(release))


def test_a_worker_takes_releases_as_they_come_and_passes_older_ones_over(worker):
    one, two = strategy("one"), strategy("two")
    sent(worker, at(plan({}, one, "acme", "policy"), 1))
    before = worker.in_force()
    sent(worker, at(plan({}, two, "acme", "policy"), 3))
    sent(worker, at(plan({}, one, "acme", "policy"), 2))
    assert worker.in_force() == {"acme": two}
    assert before == {"acme": one}, "a batch holds what it was given"


def test_a_worker_refuses_what_it_cannot_trust_and_goes_on_with_what_it_had(worker):
    one = strategy("one")
    sent(worker, at(plan({}, one, "acme", "policy"), 1))
    sent(worker, at(plan({}, strategy("two"), "acme", "policy"), 2, key=b"another key, another key"))
    worker.take(b"acme|policy", b'{"type": "policy.released", "nonsense": 1}')
    assert worker.in_force() == {"acme": one}
    assert worker.standings["acme", "policy"].state == "refused"
    sent(worker, at(plan({}, strategy("three"), "acme", "policy"), 3))
    assert worker.standings["acme", "policy"].state == "serving"


def test_a_worker_that_cannot_read_a_release_says_so_to_who_released_it(worker):
    release = at(plan({}, strategy("two"), "acme", "policy"), 2)
    newer = msgspec.to_builtins(release)
    newer["strategy"]["of_a_later_version"] = 1
    asked = Asked("/policies", "policy", release.policy, "acme", "policy", release.event_id)
    worker.take(b"acme|policy", msgspec.json.encode(newer))
    standing = msgspec.to_builtins(worker.standings["acme", "policy"])
    assert asked.is_about(standing)
    assert (standing["state"], "of_a_later_version" in standing["says"]) == ("refused", True)
    worker.take(b"acme|policy", b"\xff")
    assert worker.standings["acme", "policy"].state == "refused"
    sent(worker, release)
    assert worker.standings["acme", "policy"].state == "serving"


def test_a_shadow_decides_nothing(worker):
    sent(worker, at(plan({}, strategy("one"), "acme", "shadow"), 1))
    assert worker.in_force() == {}
    assert worker.standings["acme", "shadow"].state == "serving"


def test_a_withdrawn_release_leaves_the_schedule(worker):
    sent(worker, at(plan({}, strategy("one"), "acme", "policy"), 1))
    worker.take(b"acme|policy", None)
    assert worker.in_force() == {}
    sent(worker, at(PolicyReleased(tenant_id="acme", role="policy", policy=""), 2))
    assert worker.in_force() == {}
