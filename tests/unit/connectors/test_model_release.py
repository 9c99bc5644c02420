"""A release is taken only from who may release, for whom it was meant, and when the model may score."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from connectors.model_store.settings import ModelSettings
from connectors.model_store.signing import KEY_FILE, make_key, read_key, sign
from connectors.model_store.store import Store
from connectors.model_store.verify import verify_release
from models.features.catalogue import FEATURES_HASH, NAMES
from models.propensity.scorecard import Scorer
from recoup.model_releases import strange_currencies
from schemas.control import ModelReleased, Tenant
from schemas.errors import ModelRefused
from tests.trained_model import card, manifest, put


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(ModelSettings(), tmp_path)


def released(store: Store, model_id: str, **changes: Any) -> ModelReleased:
    """A signed release."""
    release = ModelReleased(
        tenant_id="acme",
        role="champion",
        model=model_id,
        location=store.location(model_id),
        features_hash=FEATURES_HASH,
        target="paid_by_due",
        moment="issue",
        previous=("0" * 16,),
    )
    return sign(msgspec.structs.replace(release, **changes), make_key(store.settings, store.home))


def refusal(release: ModelReleased, store: Store) -> ModelRefused:
    with pytest.raises(ModelRefused) as refused:
        verify_release(release, store)
    return refused.value


def test_a_signed_release_of_a_whole_model_scores(store):
    loaded = verify_release(released(store, put(store)), store)
    assert loaded is not None
    rows = np.full((3, len(NAMES)), np.nan)
    assert loaded.scorer.score(rows) == Scorer(card(), NAMES).score(rows)
    assert 0 < loaded.us_per_row < store.settings.slow_us_per_row


def test_a_release_survives_the_journey(store):
    release = released(store, put(store))
    assert verify_release(msgspec.json.decode(msgspec.json.encode(release), type=ModelReleased), store) is not None


def test_a_release_of_no_model_is_one_of_none_and_signed_too(store):
    none = released(store, "", location="", target="", moment="", features_hash="")
    assert verify_release(none, store) is None
    assert refusal(msgspec.structs.replace(none, tenant_id="other"), store).reason == "unsigned"


SIGNED: dict[str, Any] = {
    "tenant_id": "*", "role": "challenger", "model": "", "location": "elsewhere", "features_hash": "x",
    "target": "paid_within:30", "override": "because", "moment": "overdue", "previous": (), "released_by": "x", "signature": "",
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNED)
def test_a_release_that_was_changed_or_is_replayed_for_another_is_refused(store, name):
    release = released(store, put(store))
    assert refusal(msgspec.structs.replace(release, **{name: SIGNED[name]}), store).reason == "unsigned"


def test_every_field_that_does_something_is_signed():
    says_who_and_when = {"event_id", "account_id", "occurred_at", "source", "schema_version", "history", "released_by"}
    assert {*ModelReleased.__struct_fields__} == SIGNED.keys() | says_who_and_when


@pytest.mark.parametrize("signature", ["", "0" * 64, "é" * 64, "0"])
def test_a_forged_signature_is_refused(store, signature):
    release = msgspec.structs.replace(released(store, put(store)), signature=signature)
    assert refusal(release, store).reason == "unsigned"


def test_without_a_key_or_with_another_nothing_is_taken(store, tmp_path):
    release = released(store, put(store))
    other = Store(ModelSettings(store=store.files.root, signing_key="another key of sixteen"), tmp_path)
    assert refusal(release, other).reason == "unsigned"
    (tmp_path / KEY_FILE).unlink()
    found = refusal(release, store)
    assert (found.reason, "RECOUP_MODELS__SIGNING_KEY" in found.says) == ("unsigned", True)
    (tmp_path / KEY_FILE).write_bytes(b"")
    assert refusal(msgspec.structs.replace(release, signature=""), store).reason == "unsigned"


def test_a_model_that_is_gone_or_changed_is_refused(store):
    assert refusal(released(store, "0" * 16), store).reason == "missing"
    assert refusal(released(store, "../../etc"), store).reason == "missing"
    model_id = put(store)
    (Path(store.files.root) / model_id / "scorecard.json").write_bytes(b"{}")
    assert refusal(released(store, model_id), store).reason == "corrupt"


@pytest.mark.parametrize(
    "changes", [{"target": "paid_within:30"}, {"moment": "overdue"}, {"features_hash": "f" * 16}], ids=str
)
def test_a_release_that_speaks_of_another_model_is_refused(store, changes):
    assert refusal(released(store, put(store), **changes), store).reason == "mismatch"


def test_a_model_of_unknown_features_cannot_be_let_through(store):
    model_id = put(store, ("ledger:terms", "on_time_rate"))
    assert refusal(released(store, model_id, override="we want it"), store).reason == "mismatch"


def test_a_model_with_leaks_needs_a_reason(store):
    model_id = put(store, leaks=("days_late alone has an AUC of 0.99",))
    found = refusal(released(store, model_id), store)
    assert (found.reason, "0.99" in found.says) == ("leaks", True)
    assert verify_release(released(store, model_id, override="a rehearsal"), store) is not None


def test_a_model_that_costs_more_than_is_allowed_is_refused(store, tmp_path):
    release = released(store, put(store))
    strict = Store(ModelSettings(slow_us_per_row=0.001), tmp_path)
    found = refusal(release, strict)
    assert (found.reason, "us of CPU" in found.says) == ("slow", True)


def test_whatever_goes_wrong_is_a_refusal(store, monkeypatch):
    def broken(name: str) -> bytes:
        raise ZeroDivisionError(name)

    release = released(store, put(store))
    monkeypatch.setattr(store.files, "read", broken)
    assert refusal(release, store).reason == "corrupt"


def test_many_threads_may_check_at_once(store):
    release = released(store, put(store))
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: verify_release(release, store), range(8)))


def test_the_key_is_made_once_for_its_owner_alone(tmp_path):
    settings, barrier = ModelSettings(), threading.Barrier(8)

    def make(_: int) -> bytes:
        barrier.wait()
        return make_key(settings, tmp_path)

    assert read_key(settings, tmp_path) is None
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(make, range(8)))
    assert keys == {read_key(settings, tmp_path)}
    assert len(keys.pop()) == 64
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_of_the_settings_needs_no_file_and_is_not_shown(tmp_path):
    settings = ModelSettings(signing_key="sixteen letters or more")
    assert make_key(settings, tmp_path) == b"sixteen letters or more"
    assert not list(tmp_path.iterdir())
    assert "sixteen" not in repr(settings)
    with pytest.raises(ValueError, match="at least 16"):
        ModelSettings(signing_key="short")


def test_tenants_with_currencies_that_the_model_knows_no_amounts_in_are_named():
    def tenant(name: str, *currencies: Any) -> Tenant:
        return Tenant(tenant_id=name, name=name, currencies=currencies, time_zone="UTC")

    tenants = {"one": tenant("one", "USD", "JPY"), "two": tenant("two", "USD")}
    learned = manifest(("amount",), currencies=("USD",))
    assert strange_currencies(learned, tenants, "*") == {"one": ["JPY"]}
    assert strange_currencies(learned, tenants, "two") == {}
    assert strange_currencies(manifest(currencies=("USD",)), tenants, "*") == {}  # it uses no amounts
