"""An account's story: what happened, how it was scored, what was decided and why, what the rules denied, how it stands."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from connectors.clickhouse.client import connect as connect_clickhouse
from connectors.clickhouse.timeline import Landed, Refused, landed_of, refused_of, tenant_of
from connectors.redis.client import connect_async
from connectors.redis.ledger import Ledger
from models.account.course import WAIT
from models.calendar import utc
from models.clock import Instant
from recoup.explain.decision import Decision, decision_from
from recoup.explain.sentences import sentence, without_personal
from recoup.explain.standing import Standing, standing_from
from recoup.settings import Settings
from schemas.envelope import account_key
from schemas.errors import BadInput
from schemas.registry import ACCOUNT_TOPICS, SOURCE_TOPICS, topic_named
from streams.decide.agent import JOB

DECISIONS = "next-best-actions"
ORDER = {topic: rank for rank, topic in enumerate(ACCOUNT_TOPICS)}
"""Within one instant: what happened, what it did to the books, its score, the decision, the request, what was told."""


class Chapter(msgspec.Struct, frozen=True):
    """One line of the timeline."""

    at: datetime
    topic: str
    place: str
    """topic:partition:offset"""
    says: str
    fields: dict[str, Any]
    decision: Decision | None = None


class Story(msgspec.Struct, frozen=True):
    """All of it, oldest first."""

    tenant_id: str
    account_id: str
    time_zone: str
    """Of the tenant."""
    standing: Standing | None
    """None when Redis holds no state of the account."""
    timeline: tuple[Chapter, ...]
    cut: bool
    """There is more than was asked for; the oldest are left out."""


def story_of(
    settings: Settings,
    tenant_id: str,
    account_id: str,
    *,
    now: Instant,
    most: int,
    brief: bool = False,
    personal: bool = False,
) -> Story:
    """Collect an account's story.

    Args:
        most: chapters at most.
        brief: without scores and bookings, and without decisions to wait that no rule had a part in.
        personal: with addresses, names and what the customer said.

    Raises:
        BadInput: nobody has heard of the account.
        NotReady: ClickHouse or Redis does not answer.
    """
    client = connect_clickhouse(settings.clickhouse)
    database = settings.clickhouse.database
    try:
        tenant = tenant_of(client, database, tenant_id)
        landed = landed_of(client, database, tenant_id, account_id, most + 1)
        refused = refused_of(client, database, tenant_id, account_id, most + 1)
    finally:
        client.close()
    standing = asyncio.run(_standing(settings, account_key(tenant_id, account_id), now))
    if standing is None and not landed and not refused:
        about = "is not published" if tenant is None else "has no such account, or its messages have not landed yet"
        raise BadInput(f"Nothing is known of this account: the tenant `{tenant_id}` {about}.")
    chapters = [_chapter(message, personal=personal) for message in landed] + [_letter(letter) for letter in refused]
    if brief:
        chapters = [chapter for chapter in chapters if not _is_dull(chapter)]
    chapters.sort(key=lambda chapter: (chapter.at, ORDER.get(chapter.topic, len(ORDER)), chapter.place))
    return Story(
        tenant_id=tenant_id,
        account_id=account_id,
        time_zone=tenant.time_zone if tenant else "UTC",
        standing=standing,
        timeline=tuple(chapters[-most:]),
        cut=len(chapters) > most,
    )


def _chapter(message: Landed, *, personal: bool) -> Chapter:
    fields: dict[str, Any] = msgspec.json.decode(message.payload)
    return Chapter(
        at=utc(message.at),
        topic=message.topic,
        place=_place(message),
        says=sentence(fields),
        fields=fields if personal else without_personal(fields),
        decision=decision_from(message.payload) if message.topic == DECISIONS else None,
    )


def _is_dull(chapter: Chapter) -> bool:
    if chapter.decision is not None:
        return chapter.decision.action == WAIT and not chapter.decision.denied
    return chapter.topic in ("propensity-scores", "ledger-postings")


def _letter(letter: Refused) -> Chapter:
    about = f" in `{letter.field}`" if letter.field else ""
    says = f"refused: {letter.reason}{about}, {letter.detail}"
    return Chapter(utc(letter.at), letter.topic, _place(letter), says, {"reason": letter.reason, "field": letter.field})


def _place(message: Landed | Refused) -> str:
    return f"{message.topic}:{message.partition}:{message.offset}"


async def _standing(settings: Settings, key: bytes, now: Instant) -> Standing | None:
    ledger = Ledger(connect_async(settings.redis), settings.redis.prefix, JOB)
    partitions = range(topic_named(SOURCE_TOPICS[0]).partitions)
    try:
        # Which partition it is, the producers' hash says; asking all of them costs one round trip.
        for partition, (blob,) in zip(partitions, await ledger.read((p, [key]) for p in partitions), strict=True):
            if blob is not None:
                instant = await ledger.client.zscore(ledger.key(partition, "reviews"), key)
                return standing_from(blob, None if instant is None else int(instant), now)
        return None
    finally:
        await ledger.client.aclose()  # type: ignore[attr-defined]
