"""A worker takes the releases that it can trust, keeps what serves when it cannot, and finds its way back after a start."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.model_store.signing import sign
from connectors.model_store.store import Store
from models.propensity.serving import BASELINE, serving_of
from recoup.settings import Settings
from schemas.control import ModelReleased
from streams import metrics
from streams.decide import models as module
from streams.decide.models import Models
from tests.trained_model import put
from tests.unit.models.events import MONDAY

TENANT = "acme"
KEY = b"acme|champion"
encode = msgspec.json.Encoder().encode


class World:
    """A store, its key, and releases of which each is newer than the one before."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, models={"signing_key": "sixteen letters or more"})
        self.store = Store(self.settings.models, home)
        self.models = Models(self.settings)
        self.number = 0

    def release(self, model_id: str, **changes: Any) -> bytes:
        """A signed release; what is changed is signed too."""
        self.number += 1
        manifest = self.store.manifest(model_id) if model_id else None
        release = ModelReleased(
            tenant_id=TENANT,
            role="champion",
            model=model_id,
            event_id=f"release-{self.number}",
            occurred_at=MONDAY + timedelta(minutes=self.number),
            features_hash=manifest.features_hash if manifest else "",
            target=manifest.target if manifest else "",
            moment=manifest.moment if manifest else "",
        )
        return encode(sign(msgspec.structs.replace(release, **changes), b"sixteen letters or more"))

    def spoil(self, model_id: str) -> None:
        path = Path(self.store.files.root) / model_id / "scorecard.json"
        path.write_bytes(path.read_bytes()[:-1] + b" ")

    async def take(self, *values: bytes | None) -> None:
        for value in values:
            await self.models.take(KEY, value)

    async def start_again(self, monkeypatch: pytest.MonkeyPatch, values: Iterable[bytes]) -> None:
        """A worker that starts with this in the topic."""
        self.models = Models(self.settings)
        monkeypatch.setattr(module, "read_whole", lambda *_: {str(n).encode(): v for n, v in enumerate(values)})
        await self.models.start()

    @property
    def champion(self) -> str:
        return serving_of(self.models.in_force(), TENANT).champion.model_id

    @property
    def standing(self) -> tuple[str, str, str]:
        (standing,) = self.models.standings.values()
        return standing.model, standing.state, standing.serves


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refused(reason: str) -> float:
    return float(metrics.MODELS_REFUSED.labels(reason)._value.get())


def forged(value: bytes, **changes: Any) -> bytes:
    """A release that was changed after it was signed."""
    return encode(json.loads(value) | changes)


async def test_a_release_is_taken_and_the_next_takes_its_place(world):
    one, two = put(world.store), put(world.store, bias=1.0, moment="overdue")
    assert world.champion == BASELINE.model_id
    await world.take(world.release(one))
    assert (world.champion, world.standing) == (one, (one, "serving", ""))
    await world.take(world.release(two))
    assert (world.champion, world.standing) == (two, (two, "serving", ""))
    assert serving_of(world.models.in_force(), TENANT).champion.moment == "overdue"
    assert serving_of(world.models.in_force(), "other").champion is BASELINE


async def test_what_a_batch_holds_is_never_changed(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.take(world.release(one))
    held = world.models.in_force()
    before = dict(held)
    await world.take(world.release(two), world.release(""), None)
    await world.models.take(b"acme|challenger", world.release(two, role="challenger"))
    assert held == before
    assert world.models.in_force() is not held


async def test_champion_and_challenger_are_released_apart(world):
    one, two = put(world.store), put(world.store, bias=1.0, moment="every:7d")
    await world.take(world.release(one), world.release(two, role="challenger"))
    serving = serving_of(world.models.in_force(), TENANT)
    assert serving.challenger is not None
    assert (serving.champion.model_id, serving.challenger.model_id) == (one, two)
    assert {role: standing.model for (_, role), standing in world.models.standings.items()} == {
        "champion": one, "challenger": two
    }  # fmt: skip


async def test_a_model_that_was_changed_is_refused_and_the_old_one_goes_on(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.take(world.release(one))
    held, before = world.models.in_force(), refused("corrupt")
    release = world.release(two, previous=(one,))
    world.spoil(two)
    await world.take(release)
    assert (world.models.in_force() is held, refused("corrupt")) == (True, before + 1)
    assert world.standing == (two, "refused", one)
    (standing,) = world.models.standings.values()
    assert "scorecard.json was changed" in standing.says
    await world.take(release)
    assert refused("corrupt") == before + 1, "the same message, read again"


async def test_an_unsigned_release_is_refused_and_does_not_keep_out_those_that_follow(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.take(world.release(one))
    before = refused("unsigned")
    await world.take(forged(world.release(two), occurred_at="2099-01-01T00:00:00Z"))
    assert (world.champion, world.standing) == (one, (two, "refused", one))
    assert refused("unsigned") == before + 1
    await world.take(world.release(two))
    assert (world.champion, world.standing) == (two, (two, "serving", ""))


async def test_a_slow_model_is_refused(world, tmp_path):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.take(world.release(one))
    world.models.store = Store(world.settings.models.model_copy(update={"slow_us_per_row": 0.001}), tmp_path)
    await world.take(world.release(two))
    assert (world.champion, world.standing) == (one, (two, "refused", one))


async def test_what_cannot_be_read_changes_nothing(world):
    one = put(world.store)
    await world.take(world.release(one))
    before = refused("undecodable")
    await world.take(b"{", b'{"type":"model.released"}', b"\xff")
    assert (world.champion, world.standing) == (one, (one, "serving", ""))
    assert refused("undecodable") == before + 3


async def test_an_older_release_is_passed_over_also_after_a_refused_one(world):
    one, two, three = (put(world.store, bias=float(number)) for number in range(3))
    older, newer, newest = world.release(one), world.release(two), world.release(three)
    world.spoil(three)
    await world.take(newer, older)
    assert (world.champion, world.standing) == (two, (two, "serving", ""))
    await world.take(newest, older, newer)
    assert (world.champion, world.standing) == (two, (three, "refused", two))


async def test_an_older_release_that_comes_while_a_newer_one_is_loaded_is_passed_over(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    older, newer = world.release(one), world.release(two)
    await asyncio.gather(world.take(newer), world.take(older))
    assert (world.champion, world.standing) == (two, (two, "serving", ""))


async def test_a_release_that_is_withdrawn_leaves_what_serves_without_it(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.models.take(b"*|champion", world.release(one, tenant_id="*"))
    await world.take(release := world.release(two), None, None)
    assert world.champion == one
    assert (TENANT, "champion") not in world.models.standings
    await world.take(forged(release, signature=""))
    assert world.champion == one
    await world.take(world.release(two))
    assert world.champion == two
    await world.models.take(b"no place", None)


async def test_a_worker_that_starts_takes_what_is_released(world, monkeypatch):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.start_again(monkeypatch, [world.release(one), world.release(two, role="challenger")])
    serving = serving_of(world.models.in_force(), TENANT)
    assert serving.challenger is not None
    assert (serving.champion.model_id, serving.challenger.model_id) == (one, two)


async def test_a_worker_that_starts_with_a_refused_release_serves_the_newest_before_it(world, monkeypatch):
    one, two, three = (put(world.store, bias=float(number)) for number in range(3))
    release = world.release(three, previous=("0" * 16, two, one))
    world.spoil(three)
    before = refused("corrupt")
    await world.start_again(monkeypatch, [release])
    assert (world.champion, world.standing) == (two, (three, "refused", two))
    assert refused("corrupt") == before + 1
    world.spoil(two)
    await world.start_again(monkeypatch, [release])
    assert (world.champion, world.standing) == (one, (three, "refused", one))
    world.spoil(one)
    await world.start_again(monkeypatch, [release])
    assert (world.champion, world.standing) == (BASELINE.model_id, (three, "refused", ""))


async def test_a_model_before_that_was_let_through_is_let_through_again(world, monkeypatch):
    one, two = put(world.store, leaks=("days_late tells",), moment="every:7d"), put(world.store)
    release = world.release(two, previous=(one,))
    world.spoil(two)
    await world.start_again(monkeypatch, [release])
    assert (world.champion, world.standing) == (one, (two, "refused", one))
    assert serving_of(world.models.in_force(), TENANT).champion.moment == "every:7d"


async def test_nothing_is_trusted_that_an_unsigned_release_says_of_what_was_before(world, monkeypatch):
    one, two = put(world.store), put(world.store, bias=1.0)
    signed = world.release(two)
    for change in ({"previous": [one]}, {"previous": [one], "signature": ""}, {"model": one}):
        await world.start_again(monkeypatch, [forged(signed, **change)])
        assert (world.champion, world.standing[1:]) == (BASELINE.model_id, ("refused", ""))


async def test_without_a_key_nothing_is_served_that_was_released(world, monkeypatch, tmp_path):
    one, two = put(world.store), put(world.store, bias=1.0)
    release = world.release(two, previous=(one,))
    world.settings = Settings(home=tmp_path)
    await world.start_again(monkeypatch, [release])
    assert (world.champion, world.standing) == (BASELINE.model_id, (two, "refused", ""))


async def test_a_way_back_that_was_taken_is_not_taken_again_over_a_newer_release(world, monkeypatch):
    one, two, three = (put(world.store, bias=float(number)) for number in range(3))
    release = world.release(two, previous=(one,))
    world.spoil(two)
    await world.start_again(monkeypatch, [release])
    await world.take(world.release(three))
    assert world.champion == three
    await world.take(release)
    assert (world.champion, world.standing) == (three, (three, "serving", ""))
    await world.take(world.release(""))
    again = world.release(two, previous=(three,))
    await world.take(again)
    assert (world.champion, world.standing) == (BASELINE.model_id, (two, "refused", "")), "none was in force"


def test_a_worker_needs_no_scikit_learn():
    code = "import sys, streams.decide.agent; sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0  # noqa: S603 - our own


async def test_a_release_of_none_gives_a_tenant_what_all_have(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    await world.models.take(b"*|champion", world.release(one, tenant_id="*"))
    await world.take(world.release(two))
    assert world.champion == two
    await world.take(world.release(""))
    assert world.champion == one
    assert world.models.standings[TENANT, "champion"].state == "serving"


def test_a_tenant_without_a_model_of_its_own_has_what_all_have():
    own, common = BASELINE, msgspec.structs.replace(BASELINE, model_id="common")
    released = {("*", "champion"): common, ("acme", "champion"): None, ("beta", "champion"): own}
    assert serving_of(released, "acme").champion is common
    assert serving_of(released, "beta").champion is own
    assert serving_of({("*", "champion"): None}, "acme").champion is BASELINE
    assert serving_of(released, "acme").challenger is None


async def test_a_model_that_the_store_did_not_give_is_taken_when_it_does(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    folder = Path(world.store.files.root) / two
    away = folder.rename(folder.with_name("away"))
    await world.take(world.release(one))
    await world.take(missing := encode(asked_for(world, one, model=two)))
    assert (world.champion, world.standing) == (one, (two, "refused", one))
    await world.models.try_again()
    assert world.champion == one
    away.rename(folder)
    await world.models.try_again()
    assert (world.champion, world.standing) == (two, (two, "serving", ""))
    before = world.models.in_force()
    await world.models.try_again()  # nothing is left to be taken
    await world.take(missing)
    assert world.models.in_force() is before


async def test_a_missing_model_is_not_waited_for_once_it_is_overtaken_or_withdrawn(world):
    one, two = put(world.store), put(world.store, bias=1.0)
    folder = Path(world.store.files.root) / two
    for overtaken in (True, False):
        away = folder.rename(folder.with_name("away"))
        await world.take(encode(asked_for(world, one, model=two)))
        await world.take(world.release(one) if overtaken else None)
        away.rename(folder)
        await world.models.try_again()
        assert world.champion == (one if overtaken else BASELINE.model_id)


async def test_a_spoilt_model_is_not_asked_for_again(world):
    one = put(world.store)
    release = world.release(one)
    world.spoil(one)
    await world.take(release)
    refusals = refused("corrupt")
    await world.models.try_again()
    assert refused("corrupt") == refusals


def asked_for(world: World, like: str, **changes: Any) -> ModelReleased:
    """A signed release of a model that need not be in the store, with the target and features of one that is."""
    release = msgspec.json.decode(world.release(like), type=ModelReleased)
    return sign(msgspec.structs.replace(release, **changes), b"sixteen letters or more")
