"""An account's page: its story without personal data, its newest score and decision, and the contacts that were made."""

from datetime import datetime
from typing import Any

import msgspec

from connectors.redis.mode import manifest
from models.calendar import instant
from models.clock import Clock
from recoup.console.words import reasons_in_words
from recoup.explain.decision import Decision
from recoup.explain.standing import Standing
from recoup.explain.story import Chapter, Story, story_of
from recoup.settings import Settings

MOST = 300
"""Lines of the timeline."""
SCORES = "propensity-scores"
CONTACTS = "interaction-events"
BOOKS = "ledger-postings"
"""What a payment did to the books stands in its own line."""
FEATURES = ("features", "features_hash", "features_id")
"""Of a score; `recoup features` shows them with their names."""


class Line(msgspec.Struct, frozen=True):
    """One line of the timeline."""

    at: datetime
    topic: str
    says: str
    why: str = ""
    """Of a decision."""
    denied: dict[str, str] = {}
    """Of a decision: rule -> what it says."""


class Page(msgspec.Struct, frozen=True):
    """All that an account's page shows."""

    tenant_id: str
    account_id: str
    time_zone: str
    """Of the tenant."""
    standing: Standing | None
    score: dict[str, Any] | None
    """The newest of the model that decides."""
    decided_at: datetime | None
    decision: Decision | None
    """The newest."""
    why: str
    contacts: tuple[Line, ...]
    """What left, what came of it, and what the customer said; newest first."""
    timeline: tuple[Line, ...]
    """Newest first."""
    cut: bool


def page_of(settings: Settings, clock: Clock, tenant_id: str, account_id: str) -> Page:
    """An account's page.

    Raises:
        BadInput: nobody has heard of the account.
        NotReady: ClickHouse or Redis does not answer.
    """
    pinned = manifest(settings.redis)
    # In a replay the present is where the ledger ended.
    now = instant(datetime.fromisoformat(pinned["until"])) if pinned else clock.now()
    return page_from(story_of(settings, tenant_id, account_id, now=now, most=MOST))


def page_from(story: Story) -> Page:
    """The page of a story."""
    newest = list(reversed(story.timeline))
    decided = next((chapter for chapter in newest if chapter.decision is not None), None)
    scored = next((chapter for chapter in newest if chapter.topic == SCORES and _counts(chapter)), None)
    lines = [_line(chapter) for chapter in newest if chapter.topic != BOOKS]
    return Page(
        tenant_id=story.tenant_id,
        account_id=story.account_id,
        time_zone=story.time_zone,
        standing=story.standing,
        score=None if scored is None else _score(scored),
        decided_at=decided.at if decided else None,
        decision=decided.decision if decided else None,
        why=reasons_in_words(decided.decision.reasons) if decided and decided.decision else "",
        contacts=tuple(line for line in lines if line.topic == CONTACTS),
        timeline=tuple(lines),
        cut=story.cut,
    )


def _counts(chapter: Chapter) -> bool:
    """A challenger's score decides nothing."""
    return chapter.fields.get("role") != "challenger"


def _score(chapter: Chapter) -> dict[str, Any]:
    told = {name: value for name, value in chapter.fields.items() if name not in FEATURES}
    return {"at": chapter.at, "says": chapter.says} | told


def _line(chapter: Chapter) -> Line:
    decision = chapter.decision
    if decision is None:
        return Line(chapter.at, chapter.topic, chapter.says)
    denied = {rule: says for one in decision.denied for rule, says in one.rules.items()}
    return Line(chapter.at, chapter.topic, f"decided: {decision.action}", reasons_in_words(decision.reasons), denied)
