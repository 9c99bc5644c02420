"""The stop button stops, or lets go, what was named and nothing else."""

import pytest

from connectors.redis.settings import RedisSettings
from recoup.contacts.stopping import press
from recoup.settings import Settings
from schemas.errors import BadInput


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("tenant_id", ["", " ", "Acme", "acme|sms", "acme\n"])
def test_what_is_no_tenants_id_does_not_mean_every_tenant(tenant_id: str, *, resume: bool):
    nowhere = Settings(redis=RedisSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(BadInput, match="no tenant's id"):
        press(nowhere, tenant_id=tenant_id, channel=None, reason="", resume=resume)
