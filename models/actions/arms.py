"""Which arm of an experiment an account is in: by its key and the experiment's name alone, so it never changes sides."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=256)
def _salted(experiment: str) -> "blake2b":
    return blake2b(experiment.encode(), digest_size=8, person=b"hold out")


def in_hold_out(experiment: str, key: str, share: float) -> bool:
    """Whether an account is one of the share that is not contacted.

    A larger share of the same experiment holds out the same accounts and some more.
    """
    digest = _salted(experiment).copy()
    digest.update(b"|" + key.encode())
    return (int.from_bytes(digest.digest(), "big") >> 11) < share * 9_007_199_254_740_992.0
