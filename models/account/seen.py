"""Which ids an account has seen lately: rings of 64-bit fingerprints, equal in every process and bounded in size."""

from hashlib import blake2b

from models.clock import Instant

WIDTH = 8
"""Bytes of a mark."""
EVENTS = 32 * WIDTH
"""Event ids remembered per topic: a producer's retry comes within a few events, not months later."""
IDS = 128 * WIDTH
"""Invoice, payment, adjustment and reversal ids remembered after their record is gone."""

TIE_BITS = 16

_EMPTY = blake2b(digest_size=WIDTH)


def fingerprint(text: str) -> bytes:
    """64 bits of an id. Two ids of one account collide once in 10^17 pairs."""
    digest = _EMPTY.copy()  # a third cheaper than a new one
    digest.update(text.encode())
    return digest.digest()


def remember(ring: bytes, mark: bytes, most: int) -> bytes:
    """The ring with one more mark; beyond `most` bytes the oldest marks are left out."""
    return (ring + mark)[-most:]


def stamp(at: Instant, mark: bytes) -> int:
    """Orders writes of the same field: by time, then by event id (its fingerprint's first 16 bits)."""
    return at << TIE_BITS | mark[0] << 8 | mark[1]


def instant_of(written: int) -> Instant:
    """The time of a stamp."""
    return written >> TIE_BITS
