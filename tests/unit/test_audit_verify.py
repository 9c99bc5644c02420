"""What is recorded of sends must be found among the messages as they are, byte for byte."""

import pytest

from models.audit import START, Act, Verifier, digest, link
from recoup.audit.verify import Read, compare_sends

MESSAGES = [b"sent", b"in doubt"]


@pytest.fixture
def found() -> Read:
    verifier = Verifier()
    records = [digest(message) for message in MESSAGES]
    message, _ = link(START, "dispatch-0", Act(action="send", actor="dispatch", subject="-", at=0, records=records))
    verifier.read(message, "audit-logs[0]@0")
    return Read("topic", verifier)


def test_recorded_sends_that_are_there_are_sound(found: Read):
    compare_sends(found, lambda: iter([*MESSAGES, b"told by a provider"]), whole=True)
    assert (found.sends, found.sends_vanished, found.sound) == (2, 0, True)


def test_a_changed_or_removed_one_is_found(found: Read):
    compare_sends(found, lambda: iter([b"Sent"]), whole=True)
    assert (found.sends_vanished, found.sound) == (2, False)


def test_one_that_came_while_the_links_were_read_is_not_missed(found: Read):
    asked = iter([MESSAGES[:1], MESSAGES])
    compare_sends(found, lambda: next(asked), whole=True)
    assert found.sends_vanished == 0


def test_what_retention_may_have_removed_is_not_missed(found: Read):
    compare_sends(found, lambda: iter([]), whole=False)
    assert (found.sends_known, found.sends_vanished, found.sound) == (False, 0, True)
