"""The contacts of which nobody knows whether they left: shown to a person, and taken off the list when one has looked."""

from typing import Literal

from connectors.redis import doubts
from connectors.redis.doubts import Doubt
from connectors.redis.pauses import StopButton
from recoup.audit.acts import act_of, recorded
from recoup.settings import Settings
from schemas.errors import BadInput

Found = Literal["sent", "not-sent"]


def unknown(settings: Settings) -> list[Doubt]:
    """All of them, the oldest first."""
    button = StopButton(settings.redis)
    try:
        return doubts.noted(button.client, button.slot)
    finally:
        button.close()


def resolve(settings: Settings, contact_id: str, found: Found) -> bool:
    """Take one off the list, and record who has found out what; False = Kafka is away and the record waits.

    For the rules it goes on counting as sent: that a person has not found it does not prove that nobody has it.

    Raises:
        BadInput: it is not on the list.
    """
    button = StopButton(settings.redis)
    try:
        known = {doubt.contact_id: doubt for doubt in doubts.noted(button.client, button.slot)}
        if contact_id not in known:
            raise BadInput(f"{contact_id} is not among the contacts in doubt. `recoup contacts unknown` lists them.")
        act = act_of("override", contact_id, tenant_id=known[contact_id].tenant_id, details={"doubt": f"found {found}"})
        return recorded(settings, [act], lambda: doubts.cleared(button.client, button.slot, contact_id))[1]
    finally:
        button.close()
