"""The stop button stops, or lets go, what was named and nothing else."""

from pathlib import Path

import pytest

from connectors.redis.pauses import EVERY, Stop
from connectors.redis.settings import RedisSettings
from recoup.contacts.stopping import press, stranger
from recoup.settings import Settings
from schemas.errors import BadInput


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("tenant_id", ["", " ", "Acme", "acme|sms", "acme\n"])
def test_what_is_no_tenants_id_does_not_mean_every_tenant(tenant_id: str, *, resume: bool):
    nowhere = Settings(redis=RedisSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(BadInput, match="no tenant's id"):
        press(nowhere, tenant_id=tenant_id, channel=None, reason="", resume=resume)


def stop(tenant_id: str) -> Stop:
    return Stop(tenant_id=tenant_id, channel=EVERY, by="jane", at=0)


def test_who_stops_a_tenant_that_no_file_knows_is_told_so(tmp_path: Path):
    (tmp_path / "acme.yaml").write_text("")
    (tmp_path / "shop.yml").write_text("")
    settings = Settings(tenants_dir=tmp_path)
    assert [stranger(settings, stop(tenant_id)) for tenant_id in ("acme", "shop", EVERY)] == [None, None, None]
    said = stranger(settings, stop("acmee"))
    assert said is not None
    assert "a tenant acmee (there are acme, shop)" in said


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_without_any_file_a_tenant_is_one_that_no_file_knows(tmp_path: Path, folder: str):
    said = stranger(Settings(tenants_dir=tmp_path / folder), stop("acme"))
    assert said is not None
    assert "there is none" in said
