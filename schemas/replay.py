"""The marker that cuts a replay into buckets: everything before it in its partition happened before `at`."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Event, Timestamp


class ReplayMarker(Event, frozen=True, kw_only=True, tag="replay.marker"):
    """Written to every partition of every source topic, with no key; refused by a live stack."""

    number: Annotated[int, Meta(ge=0)]
    at: Timestamp
    last: bool = False
    tenant_id: Literal[""] = ""
    account_id: Literal[""] = ""
