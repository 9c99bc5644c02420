import msgspec
import pytest

from models.audit import HASHES_KEPT, START, Act, Head, Verifier, digest, link, raw_digest

NOON = 1_773_144_000_000


def chain_of(length: int, name: str = "decide-0") -> list[bytes]:
    head, links = START, []
    for number in range(length):
        act = Act(
            action="decision",
            actor="decide",
            subject=f"batch {number}",
            at=NOON + number,
            records=(digest(b"%d" % number),),
        )
        message, head = link(head, name, act)
        links.append(message)
    return links


def verified(messages: list[bytes]) -> Verifier:
    verifier = Verifier()
    for number, message in enumerate(messages):
        verifier.read(message, f"audit-logs[0]@{number}")
    return verifier


def kinds(messages: list[bytes]) -> list[tuple[str, int]]:
    return [(fault.kind, fault.sequence) for fault in verified(messages).faults]


def test_a_whole_chain_has_no_fault_and_tells_what_it_records():
    verifier = verified(chain_of(5))
    assert verifier.faults == []
    assert verifier.chains["decide-0"].links == 5
    assert verifier.recorded["decide-0", "decision"] == b"".join(raw_digest(b"%d" % number) for number in range(5))


def test_chains_of_several_writers_may_interleave():
    one, other = chain_of(3), chain_of(3, "dispatch-0")
    assert kinds([one[0], other[0], one[1], one[2], other[1], other[2]]) == []


@pytest.mark.parametrize(
    "field", ["subject", "actor", "action", "occurred_at", "details", "records", "previous", "sequence"]
)
def test_any_changed_field_is_found(field):
    links = chain_of(4)
    values = msgspec.json.decode(links[2])
    values[field] = {
        "subject": "batch 7", "actor": "someone", "action": "send", "occurred_at": "2026-03-10T12:00:01Z",
        "details": {"a": "b"}, "records": [], "previous": "0" * 64, "sequence": 9,
    }[field]  # fmt: skip
    links[2] = msgspec.json.encode(values)
    assert ("changed", values["sequence"]) in kinds(links)


def test_a_forged_link_with_a_right_hash_of_its_own_does_not_fit_the_next_one():
    links = chain_of(4)
    head = Head(2, msgspec.json.decode(links[1])["hash"])
    links[2], _ = link(head, "decide-0", Act(action="decision", actor="decide", subject="forged", at=NOON))
    assert kinds(links) == [("forked", 4)]


def test_a_missing_link_is_found():
    links = chain_of(5)
    del links[2]
    assert kinds(links) == [("missing", 4)]


def test_links_in_another_order_are_found():
    links = chain_of(5)
    links[1], links[2] = links[2], links[1]
    assert ("reordered", 2) in kinds(links)


def test_a_repeated_link_is_a_retry():
    links = chain_of(3)
    verifier = verified([links[0], links[0], links[1], links[1], links[2]])
    assert verifier.faults == []
    assert verifier.chains["decide-0"].repeated == 2


def test_a_chain_that_was_cut_off_at_its_end_is_found_by_its_writers_head():
    links = chain_of(4)
    head = Head(4, msgspec.json.decode(links[3])["hash"])
    verifier = verified(links[:3])
    assert verifier.faults == []
    verifier.expect("decide-0", head)
    assert [fault.kind for fault in verifier.faults] == ["cut_off"]


def test_a_chain_that_was_written_again_is_found_by_its_writers_head():
    links = chain_of(4)
    head = Head(4, msgspec.json.decode(links[3])["hash"])
    before = Head(3, msgspec.json.decode(links[2])["hash"])
    links[3], _ = link(before, "decide-0", Act(action="decision", actor="decide", subject="forged", at=NOON))
    verifier = verified(links)
    assert verifier.faults == [], "its hashes fit each other"
    verifier.expect("decide-0", head)
    assert [(fault.kind, fault.sequence) for fault in verifier.faults] == [("forked", 4)]


def test_links_that_no_writer_knows_of_are_found():
    verifier = verified(chain_of(4) + chain_of(2, "decide-99"))
    verifier.bound({"decide-0": Head(4), "decide-99": Head(2), "control": Head(7)})
    assert verifier.faults == []
    verifier.bound({"decide-0": Head(3)})
    assert [(fault.kind, fault.chain) for fault in verifier.faults] == [("added", "decide-0"), ("added", "decide-99")]


def test_a_chain_whose_beginning_retention_has_removed_is_read_from_where_it_stands():
    verifier = verified(chain_of(5)[2:])
    assert verifier.faults == []
    assert verifier.chains["decide-0"].first == 3


@pytest.mark.parametrize("record", ["ab", "no digest", "0" * 33])
def test_a_link_that_records_what_is_no_digest_is_found(record):
    act = Act(action="decision", actor="decide", subject="forged", at=NOON, records=[digest(b"1"), record])
    message, _ = link(START, "decide-0", act)
    verifier = verified([message])
    assert [fault.kind for fault in verifier.faults] == ["changed"]
    assert verifier.recorded == {}


def test_a_long_chain_takes_no_more_memory_for_its_hashes():
    links = chain_of(HASHES_KEPT + 2)
    verifier = verified([*links, links[-2]])
    assert (verifier.faults, verifier.chains["decide-0"].repeated) == ([], 1)
    assert [len(hashes) for hashes in verifier._hashes.values()] == [HASHES_KEPT]


def test_what_is_no_entry_is_named_by_its_place():
    (fault,) = verified([b"{}"]).faults
    assert (fault.kind, fault.place) == ("unreadable", "audit-logs[0]@0")


def test_a_quote_in_a_value_cannot_stand_for_the_hash():
    message, head = link(START, "control", Act(action="pause", actor='a","hash":"x', subject='"hash":""', at=NOON))
    assert verified([message]).faults == []
    assert msgspec.json.decode(message)["hash"] == head.hash
