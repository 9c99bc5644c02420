"""Tokens: what a block is called is all that the server knows it by."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.clickhouse.blocks import Block, Place, Span, parse, spans

TOPICS = st.sampled_from(["payment-events", "payment-events.dlq", "agent-metrics"])
SPANS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 2**62), st.integers(0, 10**6)), min_size=1, unique_by=lambda s: s[0]
)


def block(topic: str, *of: Span) -> Block:
    return Block(topic=topic, spans=of, at=0, body=b"", count=1)


@given(TOPICS, SPANS)
def test_a_token_says_the_topic_and_every_span(topic: str, drawn: list[tuple[int, int, int]]) -> None:
    of = tuple(sorted(Span(partition, first, first + more) for partition, first, more in drawn))
    assert parse(block(topic, *of).token) == (topic, of)


def test_a_token_reads_well() -> None:
    assert block("payment-events", Span(0, 100, 199), Span(3, 50, 80)).token == "payment-events:0:100-199,3:50-80"


def test_other_offsets_make_another_token() -> None:
    tokens = {
        block("a", Span(0, 1, 2)).token,
        block("a", Span(0, 1, 3)).token,
        block("a", Span(1, 1, 2)).token,
        block("b", Span(0, 1, 2)).token,
        block("a", Span(0, 1, 2), Span(1, 1, 2)).token,
    }
    assert len(tokens) == 5


@given(st.lists(st.integers(0, 3), min_size=1))
def test_spans_are_the_first_and_last_offset_of_each_partition_however_they_are_mixed(partitions: list[int]) -> None:
    arrived: list[tuple[int, int]] = []
    following: dict[int, int] = {}
    for partition in partitions:
        offset = following.get(partition, 10 * partition)
        arrived.append((partition, offset))
        following[partition] = offset + 2  # every second offset is a marker of a transaction
    found = spans(arrived)
    assert [span.partition for span in found] == sorted(set(partitions))
    for span in found:
        own = [offset for partition, offset in arrived if partition == span.partition]
        assert (span.first, span.last) == (own[0], own[-1])


def test_a_block_names_its_places() -> None:
    assert block("a", Span(0, 1, 2), Span(4, 1, 2)).places == [Place("a", 0), Place("a", 4)]
