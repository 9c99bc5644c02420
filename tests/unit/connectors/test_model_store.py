"""A model is taken from the store as it was put there, or not at all."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.model_store.settings import ModelSettings
from connectors.model_store.store import Store
from models.features.catalogue import NAMES
from models.propensity import manifest as manifests
from models.propensity import scorecard
from models.propensity.manifest import FORMAT, Manifest
from schemas.errors import BadInput, ModelRefused
from tests.trained_model import FEATURES, card, manifest, put
from tests.unit.connectors.s3_server import serving


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(ModelSettings(), tmp_path)


def folder(store: Store, model_id: str) -> Path:
    return Path(store.files.root) / model_id


def refusal(store: Store, model_id: str) -> ModelRefused:
    with pytest.raises(ModelRefused) as refused:
        store.load(model_id)
    return refused.value


def test_a_model_comes_back_as_it_was_put(store):
    model_id = put(store)
    loaded, found = store.load(model_id)
    assert loaded.model_id == model_id
    assert found == card()
    assert loaded.reference == manifest().reference
    assert [item.manifest for item in store.list()] == [loaded]


def test_a_folder_is_saved_under_the_hash_of_its_content(store, tmp_path):
    model_id = put(store)
    other = Store(ModelSettings(store=str(tmp_path / "other")), tmp_path)
    assert other.save(folder(store, model_id)) == model_id
    assert other.load(model_id) == store.load(model_id)


def test_who_made_it_and_when_do_not_change_the_id_and_all_else_does(store):
    model_id = put(store)
    assert put(store, author="another", created_at=5) == model_id
    assert put(store, bias=0.1) != model_id
    assert put(store, code="0.1.0+dirty") != model_id


def test_saving_it_again_changes_nothing(store):
    model_id = put(store)
    before = {path: path.stat().st_mtime_ns for path in folder(store, model_id).iterdir()}
    put(store, author="another")
    assert {path: path.stat().st_mtime_ns for path in folder(store, model_id).iterdir()} == before


@pytest.mark.parametrize("name", ["scorecard.json", "report.html"])
@pytest.mark.parametrize("harm", ["changed", "missing", "truncated"])
def test_a_file_that_is_not_as_it_was_is_refused_and_saving_mends_it(store, name, harm):
    model_id = put(store)
    path = folder(store, model_id) / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-5] if harm == "truncated" else content.replace(b"re", b"er", 1))
    found = refusal(store, model_id)
    assert found.reason == ("missing" if harm == "missing" else "corrupt")
    assert name in found.says
    assert put(store) == model_id
    store.load(model_id)


OTHERWISE: dict[str, Any] = {
    "format": 2, "target": "paid_within:30", "moment": "overdue", "horizon_days": 31, "features": ["on_time_rate"],
    "features_hash": "0", "candidate": "linear", "data": None, "metrics": {}, "warnings": ["none"], "leaks": ["x"],
    "reference": {"features": {}}, "versions": {}, "code": "x", "files": {"scorecard.json": "0" * 64},
    "model_id": "0" * 16, "currencies": ["EUR"], "unheard_of": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_manifest_with_another_field_is_refused(store, name):
    model_id = put(store)
    path = folder(store, model_id) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {name: OTHERWISE[name]}))
    assert refusal(store, model_id).reason == ("mismatch" if name == "format" else "corrupt")
    assert [bool(item.refused) for item in store.list()] == [True]


def test_every_field_that_is_hashed_was_tried():
    assert OTHERWISE.keys() >= {*Manifest.__struct_fields__} - {"created_at", "author"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"format": "x"}', b"[" * 5_000])
def test_bytes_that_are_no_manifest_are_refused(store, content):
    model_id = put(store)
    (folder(store, model_id) / "manifest.json").write_bytes(content)
    assert refusal(store, model_id).reason == "corrupt"


def test_a_model_under_the_id_of_another_is_refused(store):
    one, other = put(store), put(store, bias=1.0)
    for path in folder(store, other).iterdir():
        (folder(store, one) / path.name).write_bytes(path.read_bytes())
    assert refusal(store, one).reason == "corrupt"


@pytest.mark.parametrize(
    "model_id", ["", ".", "..", "../../etc/passwd", "a" * 15, "a" * 17, "A" * 16, "a" * 16 + "\n", "a" * 15 + "/"]
)
def test_what_is_no_id_leads_nowhere(store, model_id):
    assert refusal(store, model_id).reason == "missing"


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", ".hidden", "a/b/c", "", "manifest.json"])
def test_a_manifest_cannot_name_a_file_outside_its_folder(store, tmp_path, name):
    (tmp_path / "outside").write_bytes(b"secret")
    content = scorecard.encode(card())
    with pytest.raises(BadInput, match="names a file that no model has"):
        store.put(manifest(), {"scorecard.json": content, name: b"x"})
    whole = manifests.with_id(manifest(files={"scorecard.json": sha256(content).hexdigest(), name: "0" * 64}))
    place = folder(store, whole.model_id)
    place.mkdir(parents=True)
    (place / "scorecard.json").write_bytes(content)
    (place / "manifest.json").write_bytes(manifests.encode(whole))
    assert refusal(store, whole.model_id).reason == "corrupt"


def test_a_model_of_the_ledgers_own_columns_is_kept_and_not_served(store):
    model_id = put(store, (*FEATURES, "ledger:terms"))
    assert store.manifest(model_id).features == (*FEATURES, "ledger:terms")
    found = refusal(store, model_id)
    assert (found.reason, "ledger:terms" in found.says) == ("mismatch", True)


def test_a_model_of_other_features_is_refused(store):
    found = refusal(store, put(store, features_hash="f" * 16))
    assert (found.reason, "f" * 16 in found.says) == ("mismatch", True)


def test_a_card_that_differs_from_its_manifest_is_no_model(store):
    with pytest.raises(BadInput, match="other features"):
        store.put(manifest((NAMES[0],)), {"scorecard.json": scorecard.encode(card())})


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\x80\x04.", scorecard.encode(msgspec.structs.replace(card(), points=[[1.0], [1.0]]))],
)
def test_a_card_that_cannot_score_is_no_model(store, content):
    with pytest.raises(BadInput, match="cannot be saved"):
        store.put(manifest(), {"scorecard.json": content})
    with pytest.raises(BadInput, match="names no scorecard"):
        store.put(manifest(), {"card.json": content})
    assert store.list() == []


def test_a_model_of_a_newer_recoup_is_told_so(store):
    with pytest.raises(BadInput, match="a newer Recoup"):
        put(store, format=FORMAT + 1)


def test_a_save_that_was_cut_short_is_no_model_and_can_be_done_again(store, monkeypatch):
    written: list[str] = []
    whole = store.files.write

    def cut(name: str, content: bytes) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(name)
        whole(name, content)

    monkeypatch.setattr(store.files, "write", cut)
    with pytest.raises(KeyboardInterrupt):
        put(store)
    monkeypatch.undo()
    assert store.list() == []
    with pytest.raises(BadInput, match="No model"):
        store.find(written[0][:4])
    store.load(put(store))


def test_the_manifest_is_written_last(store, monkeypatch):
    names: list[str] = []
    monkeypatch.setattr(store.files, "write", lambda name, content: names.append(Path(name).name))
    put(store)
    assert sorted(names[:-1]) == ["report.html", "scorecard.json"]
    assert names[-1] == "manifest.json"


def test_the_first_digits_are_enough_while_they_are_of_one_model(store):
    ids = [put(store, bias=float(number)) for number in range(20)]
    assert all(store.find(model_id) == model_id for model_id in ids)
    firsts = [model_id[0] for model_id in ids]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(BadInput, match="Several models"):
        store.find(twice)
    for none in ("", "x", "../", ids[0] + "0"):
        with pytest.raises(BadInput, match="No model"):
            store.find(none)


def test_the_newest_is_listed_first_and_what_is_no_model_not_at_all(store):
    old, new = put(store, created_at=1), put(store, created_at=2, bias=1.0)
    (folder(store, "notes")).mkdir()
    (folder(store, "0" * 16)).mkdir()
    assert [item.model_id for item in store.list()] == [new, old]


def test_an_empty_store_lists_nothing_and_makes_no_folder(store):
    assert store.list() == []
    assert not Path(store.files.root).exists()


def test_where_a_model_is_says_nothing_of_the_machine(store, tmp_path):
    assert store.location("a" * 16) == f"models/{'a' * 16}"
    bucket = Store(ModelSettings(store="s3://bucket/a/b/", s3_region="eu-west-1"), tmp_path)
    assert bucket.location("a" * 16) == f"s3://bucket/a/b/{'a' * 16}"


def test_a_store_without_a_bucket_is_refused(tmp_path):
    with pytest.raises(BadInput, match="names no bucket"):
        Store(ModelSettings(store="s3://"), tmp_path)


def test_a_store_in_s3_keeps_and_gives_back(tmp_path):
    with serving() as bucket:
        settings = ModelSettings(
            store="s3://models/propensity", s3_endpoint=bucket.url, s3_access_key="reader", s3_secret_key="very-secret"
        )
        store = Store(settings, tmp_path)
        assert store.list() == []
        model_id = put(store)
        assert set(bucket.objects) == {
            f"models/propensity/{model_id}/{name}" for name in ("manifest.json", "report.html", "scorecard.json")
        }
        assert store.load(model_id) == (store.manifest(model_id), card())
        assert [item.model_id for item in store.list()] == [model_id]
        assert store.find(model_id[:5]) == model_id
        assert put(store) == model_id

        assert refusal(store, "0" * 16).reason == "missing"
        bucket.objects[f"models/propensity/{model_id}/scorecard.json"] += b" "
        assert refusal(store, model_id).reason == "corrupt"

        bucket.refuse = True
        found = refusal(store, model_id)
        assert (found.reason, "very-secret" in str(found)) == ("missing", False)
        with pytest.raises(BadInput, match="cannot be listed"):
            store.list()
