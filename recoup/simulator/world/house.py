"""What a tenant's own house does beside what it decides: who telephones, what it writes off, how long it takes."""

import msgspec

from models.clock import Instant


class House(msgspec.Struct, frozen=True, kw_only=True):
    """The same for all tenants. Times are in milliseconds."""

    agents: tuple[str, ...] = ()
    """Who telephones; without any, calls name nobody and do not say how long they took."""
    link_in_mails: bool = False
    """Mails hold a link, and it is heard of who has followed it."""
    written_off_after: int | None = None
    """Days past due; absent = never."""
    decides_after: Instant = 0
    """From what happens to the decision on it."""
    sends_after: Instant = 0
    """From what happens to the contact that was decided because of it."""


BARE = House()
"""What does not matter when policies are compared is left out."""
