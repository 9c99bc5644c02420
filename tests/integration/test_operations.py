"""A live stack's operator: history loaded without a decision, dead letters mended and sent again, an account explained."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.kafka.sending import Sender
from recoup.cli.main import recoup as command_line
from recoup.settings import Settings
from recoup.stack.workers import Workers
from schemas.errors import RecoupError
from tests.conftest import running_stack

TENANT = """
tenant_id: shop
name: Shop
currencies: [USD]
time_zone: UTC
country: DE
{live}
strategy:
  name: test
  steps:
    # A letter, because it may leave at any hour at which the test runs.
    - {{id: reminder, at_days: 1, channel: letter, template: overdue_first}}
limits:
  contact_hours: [{{start: "00:00", end: "24:00"}}]
"""

pytestmark = pytest.mark.timeout(240)


class Shop:
    """A stack with one tenant and its workers."""

    def __init__(self, home: Path, tenants: Path) -> None:
        self.home = home
        self.tenants = tenants
        self.settings = Settings(home=home)

    def recoup(self, *arguments: str | Path, code: int | None = 0) -> str:
        """Run a command; what it wrote."""
        environment = {"RECOUP_HOME": str(self.home), "RECOUP_TENANTS_DIR": str(self.tenants), "COLUMNS": "200"}
        done = CliRunner(env=environment).invoke(command_line, [str(argument) for argument in arguments])
        ended = done.exception.exit_code if isinstance(done.exception, RecoupError) else done.exit_code
        assert code is None or ended == code, f"{done.output}\n{done.exception!r}"
        return done.stdout

    def ask(self, *arguments: str | Path, code: int | None = 0) -> Any:
        """The last line of what it wrote, parsed."""
        return json.loads(self.recoup(*arguments, "--json", code=code).splitlines()[-1])

    def be(self, live: str) -> None:
        """Publish the tenant, live since then or not at all."""
        (self.tenants / "shop.yaml").write_text(TENANT.format(live=f"live_since: {live}" if live else ""))
        self.recoup("tenants", "apply")

    def send(self, *messages: dict[str, Any] | bytes, key: bytes = b"shop|a1") -> None:
        """Put messages on payment-events."""
        sender = Sender(self.settings.kafka)
        for message in messages:
            value = message if isinstance(message, bytes) else json.dumps(message).encode()
            sender.send("payment-events", value, key)
        sender.flush()

    def letters(self) -> dict[str, dict[str, int]]:
        """Reason -> how many, and how many of them were sent again."""
        return {heap["reason"]: heap for heap in self.ask("dlq", "list", "payment-events")}

    def story(self, account: str = "a1") -> Any:
        return self.ask("explain", "shop", account)


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What the condition gives when it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    stacks = running_stack(tmp_path_factory.mktemp("operations"))
    home, tenants = next(stacks).home, tmp_path_factory.mktemp("tenants")
    shop = Shop(home, tenants)
    (tenants / "shop.yaml").write_text(TENANT.format(live=""))
    shop.recoup("up")
    with Workers(home) as workers:
        workers.start("decide")
        workers.start("land")
        workers.wait_ready()
        yield shop
    next(stacks, None)


def issued(invoice_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "invoice.issued",
        "event_id": f"issued-{invoice_id}",
        "tenant_id": "shop",
        "account_id": "a1",
        "occurred_at": "2025-01-02T00:00:00Z",
        "source": "billing",
        "invoice_id": invoice_id,
        "amount_minor": 1_000,
        "currency": "USD",
        "due_at": "2025-01-31T00:00:00Z",
    } | changes


def test_history_is_folded_and_nothing_is_decided_before_or_about_what_was_due_before_the_tenant_is_live(
    shop, tmp_path
):
    (tmp_path / "open.csv").write_text("cust,inv,open,issued,due\nold,o1,10.00,2025-01-02,2025-01-31\n")
    (tmp_path / "mapping.yaml").write_text(
        'tenant_id: shop\ncurrency: USD\ndates: "%Y-%m-%d"\naccount: {id: cust, address: cust}\n'
        "invoice: {id: inv, amount: open, issued_at: issued, due_at: due}\n"
    )
    load = ("load", "--csv", tmp_path / "open.csv", "--mapping", tmp_path / "mapping.yaml")
    assert shop.ask(*load, "--dry-run") == {"events": 0, "would_send": 2}
    loaded = shop.ask(*load, "--wait", "60")
    assert (loaded["events"], loaded["folded"], loaded["tenants"]) == (2, True, {"shop": "not live"})
    story = wait_for("the state", lambda: shop.story("old"))
    assert story["standing"]["balances_minor"] == {"USD": 1_000}
    assert story["standing"]["decisions"] == 0

    shop.be("2025-06-01T00:00:00Z")
    shop.send(issued("n1", account_id="old", due_at="2025-07-01T00:00:00Z"), key=b"shop|old")
    contacts = wait_for("a contact", lambda: contacts_of(shop.story("old")))
    assert [decision["invoices"][0] for decision in contacts] == ["n1"], (
        "the step of o1 lies before the tenant was live"
    )
    shop.ask(*load, "--wait", "60")
    assert shop.story("old")["standing"]["balances_minor"] == {"USD": 2_000}, "what is loaded twice is dropped"


def contacts_of(story: Any) -> list[Any]:
    decisions = [chapter["decision"] for chapter in story["timeline"] if chapter["decision"]]
    return [decision for decision in decisions if decision["action"].startswith("contact")]


def test_a_refused_message_is_mended_proved_and_sent_again_once(shop):
    shop.be("2025-06-01T00:00:00Z")
    shop.send(issued("m1", amount_minor=-5), issued("m2", currency="USDX"), b"{")
    wait_for("the dead letters", lambda: sum(heap["letters"] for heap in shop.letters().values()) == 3)
    assert set(shop.letters()) == {"negative_money", "unknown_currency", "not_json"}

    held = shop.ask("dlq", "replay", "payment-events", code=1)
    assert held["sent"] == 0
    assert len(held["held_back"]) == 3, "all would be refused again"

    position = next(at for at, why in held["held_back"].items() if why.startswith("negative_money"))
    shown = shop.recoup("dlq", "show", position)
    assert "negative_money" in shown
    assert "m1" not in shown, "what it holds may be personal data"
    assert not acts(shop, "access"), "nobody has seen what it holds"
    assert "m1" in shop.ask("dlq", "show", position, "--payload")["value"]
    (look,) = acts(shop, "access")
    assert look["subject"] == position
    assert look["details"] == {"topic": "payment-events", "reason": "negative_money", "through": "command"}

    mend = ("dlq", "replay", "--at", position, "--set", "amount_minor=700")
    assert shop.ask(*mend, "--dry-run")["sent"] == 1
    assert shop.letters()["negative_money"]["replayed"] == 0
    assert shop.ask(*mend)["sent"] == 1
    assert shop.ask(*mend) == {
        "sent": 0,
        "already": 1,
        "held_back": {},
        "forced": 0,
        "duplicates": 0,
        "recorded": True,
    }
    (act,) = acts(shop, "dead_letter")
    assert act["subject"] == position
    assert act["details"] == {
        "topic": "payment-events",
        "reason": "negative_money",
        "through": "command",
        "mended": "yes",
    }
    wait_for("the mended invoice", lambda: "m1" in open_invoices(shop))
    assert shop.letters()["negative_money"]["replayed"] == 1


def acts(shop: Shop, action: str) -> list[dict[str, Any]]:
    """What the audit log says that people did, newest first."""
    return [json.loads(line) for line in shop.recoup("audit", "list", "--action", action, "--json").splitlines()]


def open_invoices(shop: Shop) -> set[str]:
    standing = shop.story()["standing"]
    return {invoice["invoice_id"] for invoice in standing["invoices"]} if standing else set()


def test_a_message_of_an_unknown_tenant_is_taken_once_the_tenant_is_published(shop):
    shop.send(issued("u1", tenant_id="late"), key=b"late|a1")
    wait_for("the dead letter", lambda: "unknown_tenant" in shop.letters())
    replay = ("dlq", "replay", "payment-events", "--reason", "unknown_tenant")
    assert shop.ask(*replay, code=1)["sent"] == 0
    (shop.tenants / "late.yaml").write_text(TENANT.format(live="").replace("tenant_id: shop", "tenant_id: late"))
    shop.recoup("tenants", "apply")
    assert shop.ask(*replay)["sent"] == 1
    wait_for(
        "the state",
        lambda: json.loads(shop.recoup("explain", "late", "a1", "--json", code=None) or "{}").get("standing"),
    )


def test_a_message_that_is_refused_again_counts_its_attempts(shop):
    shop.send(issued("f1", currency="XXX"))
    wait_for("the dead letter", lambda: shop.letters().get("unknown_currency", {}).get("letters", 0) == 2)
    newest = shop.letters()["unknown_currency"]["newest"]
    first = shop.ask("dlq", "show", newest)
    assert shop.ask("dlq", "replay", "--at", newest, "--at", newest, "--force")["forced"] == 1, (
        "once, though named twice"
    )
    assert acts(shop, "dead_letter")[0]["details"]["forced"] == "yes"
    wait_for("it to come back", lambda: shop.letters()["unknown_currency"]["letters"] == 3)
    second = shop.ask("dlq", "show", shop.letters()["unknown_currency"]["newest"])
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert second["first_seen"] == first["first_seen"]
    assert second["replayed"] is False


def test_the_totals_still_add_up(shop):
    from recoup.replay.audit import Audit  # noqa: PLC0415 - opens nothing until here

    with Audit(shop.settings) as audit:
        produced = sum(audit.messages(("payment-events", "crm-events", "interaction-events")).values())
        counters = wait_for("decide", lambda: (c := audit.counters()) and sum(c.values()) == produced and c)
        letters = sum(times for name, times in counters.items() if name.startswith("dead_lettered:"))
        assert audit.messages(("payment-events.dlq",)) == {"payment-events.dlq": letters}
        wanted = audit.messages(tuple(audit.rows()))
        wait_for("the rows", lambda: {topic: rows for topic, (rows, _) in audit.rows().items()} == wanted)
        assert all(rows == places for rows, places in audit.rows().values())


def test_the_audit_log_holds_every_decision_and_what_people_did_and_finds_a_forged_one(shop):
    sound = wait_for("the chains to be sound", lambda: (r := shop.ask("audit", "verify", code=None))["sound"] and r)
    assert sound["decisions"] == sum(c["records"] for c in sound["chains"].values()) > 0
    assert sound["chains"]["control"]["links"] >= 2, "each `tenants apply` of these tests"
    landed = wait_for(
        "the rows", lambda: (r := shop.ask("audit", "verify", "--from-warehouse", code=None))["sound"] and r
    )
    assert landed["chains"] == sound["chains"]
    acts = [json.loads(line) for line in shop.recoup("audit", "list", "--json").splitlines()]
    assert {(act["action"], act["subject"]) for act in acts} >= {("rules", "shop"), ("tenant", "late")}

    (entry, *_) = acts
    sender = Sender(shop.settings.kafka)
    sender.send("audit-logs", json.dumps(entry | {"actor": "somebody else"}).encode(), b"shop|")
    sender.send("next-best-actions", b'{"decision_id": "made up"}', b"shop|a1")
    sender.send("interaction-events", b'{"event_id": "made up", "source": "dispatch"}', b"shop|a1")
    sender.send("interaction-events", b'{"event_id": "told", "source": "another system"}', b"shop|a1")
    sender.flush()
    forged = shop.ask("audit", "verify", code=3)
    assert [fault["kind"] for fault in forged["faults"]] == ["changed"]
    assert (forged["unrecorded_decisions"], forged["vanished_decisions"]) == (1, 0)
    assert (forged["unrecorded_sends"], forged["vanished_sends"]) == (1, 0)
