"""What chains record must be found among the messages as they are, byte for byte, and nothing else may be there."""

from collections.abc import Sequence
from typing import Any

import pytest

from models.audit import START, Act, Verifier, digest, link
from recoup.audit import compare as comparing
from recoup.audit.compare import Compared, Rows, compare
from recoup.audit.verify import Read, is_of_dispatch

TOPIC = "interaction-events"


def ours(number: int) -> bytes:
    return b'{"source":"dispatch","event_id":"%d"}' % number


OTHERS = b'{"source":"twilio","event_id":"1"}'


@pytest.fixture
def verifier() -> Verifier:
    """Two chains: 0 to 3 are recorded in partition 0, and 4 in partition 1."""
    verifier = Verifier()
    for partition, first, end in ((0, 0, 4), (1, 4, 5)):
        records = [digest(ours(number)) for number in range(first, end)]
        act = Act(action="send", actor="dispatch", subject="-", at=0, records=records)
        verifier.read(link(START, f"dispatch-{partition}", act)[0], "audit-logs[0]@0")
    return verifier


def compared(verifier: Verifier, *lists: Sequence[bytes], later: Sequence[bytes] | None = ()) -> Compared:
    """With the messages of each partition, and what came later in partition 0."""

    def rows(partitions: Sequence[int]) -> Rows:
        return ((TOPIC, partition, message) for partition in partitions for message in lists[partition])

    more: dict[str, Any] = {}
    if later is not None:
        more = {"later": lambda _partitions: ((TOPIC, 0, message) for message in later)}
    return compare(verifier, "dispatch", "send", len(lists), rows, is_ours=is_of_dispatch, **more)


FIRST, SECOND = [ours(number) for number in range(4)], [ours(4)]


@pytest.mark.parametrize("at_once", [1, 2_000_000])
def test_what_is_recorded_and_there_is_sound(verifier: Verifier, monkeypatch: pytest.MonkeyPatch, at_once: int):
    monkeypatch.setattr(comparing, "MOST_AT_ONCE", at_once)
    assert compared(verifier, [*FIRST, OTHERS, FIRST[0]], SECOND, []) == Compared(5)


def test_a_removed_one_is_found(verifier: Verifier):
    assert compared(verifier, FIRST[:3], SECOND) == Compared(4, vanished=1)


def test_a_changed_one_is_found_on_both_sides(verifier: Verifier):
    changed = FIRST[3].replace(b"3", b"9")
    for later in ((), None):
        assert compared(verifier, [*FIRST[:3], changed], SECOND, later=later) == Compared(5, 1, 1)


def test_a_made_up_one_is_found(verifier: Verifier):
    assert compared(verifier, [*FIRST, ours(7)], SECOND) == Compared(6, unrecorded=1)


def test_one_that_is_recorded_in_another_partition_is_made_up(verifier: Verifier):
    assert compared(verifier, [*FIRST, *SECOND], SECOND) == Compared(6, unrecorded=1)


def test_one_that_came_while_the_links_were_read_is_not_missed(verifier: Verifier):
    assert compared(verifier, FIRST[:1], SECOND, later=FIRST[1:]).vanished == 0


def test_what_has_not_landed_at_the_end_is_told_and_no_fault(verifier: Verifier):
    assert compared(verifier, FIRST[:1], SECOND, later=None) == Compared(2, not_landed=3)
    assert compared(verifier, [*FIRST, ours(7)], SECOND, later=None) == Compared(6, not_landed=1)
    assert compared(verifier, [], SECOND, later=None) == Compared(1, not_landed=4)


def test_before_the_end_all_has_landed(verifier: Verifier):
    assert compared(verifier, [*FIRST[:1], *FIRST[2:3]], SECOND, later=None) == Compared(3, vanished=1, not_landed=1)
    assert compared(verifier, [ours(7), *FIRST], SECOND, later=None) == Compared(6, unrecorded=1)


@pytest.mark.parametrize("differs", [Compared(unrecorded=1), Compared(vanished=1)])
def test_a_difference_on_either_side_is_not_sound(differs: Compared):
    assert not Read("topic", Verifier(), decisions=differs).sound
    assert not Read("topic", Verifier(), sends=differs).sound


def test_what_has_not_landed_is_sound():
    waiting = Compared(not_landed=1)
    assert Read("warehouse", Verifier(), decisions=waiting, sends=waiting).sound


@pytest.mark.parametrize("message", [b"", b"{", b"[]", b"{}", OTHERS])
def test_what_dispatch_has_not_written_need_not_be_recorded(message: bytes):
    assert not is_of_dispatch(message)
