"""A tenant's decisions and the money after them out of ClickHouse, to learn from."""

from connectors.clickhouse.client import connect
from connectors.clickhouse.history import LandedHistory
from connectors.clickhouse.outcomes import OutcomeTables
from models.clock import Instant
from recoup.evaluation.warehouse import decided_of
from recoup.learning.story import Gathered
from recoup.settings import Settings
from schemas.errors import BadInput
from schemas.strategies import ActionStrategy


def landed(settings: Settings, strategy: ActionStrategy, tenant: str, since: Instant = 0) -> Gathered:
    """What has landed of a tenant; an outcome is known when the horizon has ended by the last that is known of it.

    Raises:
        BadInput: nothing of the tenant has landed.
        NotReady: ClickHouse does not answer.
    """
    client = connect(settings.clickhouse)
    try:
        database = settings.clickhouse.database
        extents = {its.tenant_id: its for its in LandedHistory(client, database).extents()}
        if tenant not in extents:
            raise BadInput(f"Nothing of the tenant `{tenant}` has landed. There are: {', '.join(extents) or 'none'}.")
        gathered = Gathered(strategy)
        for decided in decided_of(OutcomeTables(client, database), tenant, since, None):
            gathered.take(decided)
        gathered.until = extents[tenant].until
        return gathered
    finally:
        client.close()
