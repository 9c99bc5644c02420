"""Answers what one person asks: about an account, a dead letter, where to find one."""

from typing import Any

from models.clock import Clock
from recoup.console.account import Page, page_of
from recoup.console.letters import Letters, Sent, Shown, Verdict, Wanted
from recoup.console.warehouse import Warehouse
from recoup.settings import Settings


class Questions:
    """Asks the servers anew each time, so that one that was away is there again with the next question."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._letters = Letters(settings, clock)

    def account(self, tenant_id: str, account_id: str) -> Page:
        return page_of(self.settings, self.clock, tenant_id, account_id)

    def search(self, text: str) -> list[dict[str, str]]:
        warehouse = Warehouse(self.settings, self.clock)
        try:
            return warehouse.search(text.strip())
        finally:
            warehouse.close()

    def letters(self, topic: str, reason: str, skip: int) -> dict[str, Any]:
        warehouse = Warehouse(self.settings, self.clock)
        try:
            return warehouse.letters(topic, reason, skip)
        finally:
            warehouse.close()

    def letter(self, at: str) -> Shown:
        return self._letters.show(at)

    def prove(self, wanted: Wanted) -> Verdict:
        return self._letters.prove(wanted)

    def send(self, wanted: Wanted) -> Sent:
        return self._letters.send(wanted)
