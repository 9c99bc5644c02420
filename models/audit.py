"""Hash chains of what was done: a link that is changed, left out or moved is found by whoever reads the chain again."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b, sha256

import msgspec

from models.calendar import utc
from models.clock import Instant
from schemas.operations import AuditEntry

SEVERAL = "*"
MOST_RECORDS = 5_000
"""In one link, so that its message stays far below what a topic takes."""

DIGEST_BYTES = 16
HASHES_KEPT = 10_000
"""Of each chain, the last ones: a retry is no further behind, nor is where its writer says that it ends."""

_HASH = b'"hash":"'
_NO_DIGEST = blake2b(digest_size=DIGEST_BYTES)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AuditEntry).decode


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The last link of a chain."""

    sequence: int = 0
    hash: str = ""


START = Head()


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a link tells, apart from its place in the chain."""

    action: str
    """One of those of `AuditEntry.action`."""
    actor: str
    """The job, or the person's user name."""
    subject: str
    at: Instant
    tenant_id: str = SEVERAL
    account_id: str = ""
    details: dict[str, str] = {}
    """Never personal data: the chain outlives an erasure."""
    records: Sequence[str] = ()


def digest(message: bytes) -> str:
    """What stands for a message among the records of a link."""
    return raw_digest(message).hex()


def raw_digest(message: bytes) -> bytes:
    """The same as bytes, for there may be millions."""
    found = _NO_DIGEST.copy()  # a third cheaper than a new one
    found.update(message)
    return found.digest()


def key_of(act: Act) -> bytes:
    """The Kafka key of a link that tells of an act."""
    return f"{act.tenant_id}|{act.account_id}".encode()


def link(head: Head, chain: str, act: Act) -> tuple[bytes, Head]:
    """The next link of a chain as its message, and the head after it."""
    sequence = head.sequence + 1
    entry = AuditEntry(
        event_id=f"{chain}:{sequence}",
        tenant_id=act.tenant_id,
        account_id=act.account_id,
        occurred_at=utc(act.at),
        source=act.actor,
        action=act.action,  # type: ignore[arg-type]
        actor=act.actor,
        subject=act.subject,
        sequence=sequence,
        previous=head.hash,
        hash="",
        details=act.details,
        chain=chain,
        records=tuple(act.records),
    )
    unsigned = encode(entry)
    found = sha256(unsigned).hexdigest()
    return _with_hash(unsigned, found), Head(sequence, found)


def _with_hash(unsigned: bytes, found: str) -> bytes:
    # The field's own name cannot stand before it: quotes within earlier values are escaped.
    before, after = unsigned.split(_HASH + b'"', 1)
    return before + _HASH + found.encode() + b'"' + after


class Fault(msgspec.Struct, frozen=True):
    """Something that is wrong with a chain."""

    chain: str
    sequence: int
    kind: str
    """`unreadable`, `changed`, `missing`, `reordered`, `forked`, `cut_off` or `added`."""
    place: str
    """Where the link was read."""
    says: str


class Chain(msgspec.Struct):
    """What has been read of one chain."""

    first: int
    head: Head
    links: int = 0
    records: int = 0
    repeated: int = 0
    """Links that stand there twice, byte for byte: a retry, and no fault."""


class Verifier:
    """Reads the links of all chains in the order of their log, and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.chains: dict[str, Chain] = {}
        self.faults: list[Fault] = []
        self.recorded: dict[tuple[str, str], bytearray] = {}
        """(chain, action) -> the raw digests of all messages that are recorded there, one after the other, in order."""
        self._hashes: dict[str, dict[int, str]] = {}
        """Chain -> the hashes of its last links, by sequence."""

    def read(self, message: bytes, place: str) -> None:
        """Take the next link."""
        try:
            entry = decode(message)
        except msgspec.MsgspecError:
            self.faults.append(Fault("", 0, "unreadable", place, "The message is no audit entry."))
            return
        chain, sequence = entry.chain, entry.sequence
        unsigned = message.replace(_HASH + entry.hash.encode() + b'"', _HASH + b'"', 1)
        if sha256(unsigned).hexdigest() != entry.hash:
            self._fault(entry, "changed", place, "The entry is not what it was when it was written.")
        known = self.chains.get(chain)
        if known is None:
            known = self.chains[chain] = Chain(sequence, Head(sequence - 1, entry.previous))
            if sequence == 1 and entry.previous:
                self._fault(entry, "forked", place, "The first entry names one before it.")
        hashes = self._hashes.setdefault(chain, {})
        if hashes.get(sequence) == entry.hash:
            known.repeated += 1
            return
        self._follow(known, entry, place)
        hashes[sequence] = entry.hash
        if len(hashes) > HASHES_KEPT:
            del hashes[next(iter(hashes))]
        known.links += 1
        known.records += len(entry.records)
        if entry.records:
            self._keep(entry, place)

    def _keep(self, entry: AuditEntry, place: str) -> None:
        try:
            raw = b"".join(map(bytes.fromhex, entry.records))
        except ValueError:
            raw = b""
        if len(raw) != DIGEST_BYTES * len(entry.records):
            self._fault(entry, "changed", place, "What it records are no digests of messages.")
            return
        self.recorded.setdefault((entry.chain, entry.action), bytearray()).extend(raw)

    def _follow(self, known: Chain, entry: AuditEntry, place: str) -> None:
        expected = known.head.sequence + 1
        if entry.sequence < expected:
            self._fault(entry, "reordered", place, f"Entry {entry.sequence} stands behind entry {expected - 1}.")
            return
        if entry.sequence > expected:
            gone = entry.sequence - expected
            says = f"{gone} {'entry is' if gone == 1 else 'entries are'} missing before it, from {expected} on."
            self._fault(entry, "missing", place, says)
        elif entry.previous != known.head.hash:
            self._fault(entry, "forked", place, f"It does not follow from entry {expected - 1} as that stands here.")
        known.head = Head(entry.sequence, entry.hash)

    def expect(self, chain: str, head: Head) -> None:
        """Compare a chain with a link that its writer has written: it must be here, and the same."""
        known = self.chains.get(chain)
        read = START if known is None else known.head
        if read.sequence < head.sequence:
            says = f"Its writer has written up to entry {head.sequence}; the last one here is {read.sequence}."
            self.faults.append(Fault(chain, head.sequence, "cut_off", "the end", says))
        elif self._hashes.get(chain, {}).get(head.sequence, head.hash) != head.hash:
            says = "It is not the entry that its writer has written: the chain was written again up to here."
            self.faults.append(Fault(chain, head.sequence, "forked", "the end", says))

    def bound(self, heads: Mapping[str, Head]) -> None:
        """Compare all chains with where their writers say that they end; who has no head has written none."""
        for chain, known in self.chains.items():
            last = heads.get(chain, START).sequence
            if known.head.sequence > last:
                says = (
                    f"Its writer has written up to entry {last}; here it goes on to {known.head.sequence}. Somebody else has"
                    " written the rest, or Redis has lost where the chain ends."
                )
                self.faults.append(Fault(chain, known.head.sequence, "added", "the end", says))

    def _fault(self, entry: AuditEntry, kind: str, place: str, says: str) -> None:
        self.faults.append(Fault(entry.chain, entry.sequence, kind, place, says))
