"""A release of a policy is signed like that of a model: the whole message, strategies, tenant, role and time included."""

import hashlib
import hmac

import msgspec

from connectors.model_store.signing import KEY_FILE
from schemas.control import PolicyReleased
from schemas.errors import ModelRefused

encode = msgspec.json.Encoder(order="deterministic").encode


def signature(release: PolicyReleased, key: bytes) -> str:
    """HMAC-SHA256, in hex, of all that a release says but its signature."""
    return hmac.new(key, encode(msgspec.structs.replace(release, signature="")), hashlib.sha256).hexdigest()


def sign_policy(release: PolicyReleased, key: bytes) -> PolicyReleased:
    """The release with its signature."""
    return msgspec.structs.replace(release, signature=signature(release, key))


def check_policy_signature(release: PolicyReleased, key: bytes | None) -> None:
    """Raise ModelRefused when a release was not signed with this key."""
    if not key:
        raise ModelRefused(
            "unsigned",
            "there is no key to check the release with; set RECOUP_MODELS__SIGNING_KEY to that of who releases, or share"
            f" their <home>/{KEY_FILE}.",
        )
    if not hmac.compare_digest(signature(release, key).encode(), release.signature.encode()):
        raise ModelRefused(
            "unsigned",
            "its signature is not of this release and this key; release it with `recoup policies release`, with the same"
            " RECOUP_MODELS__SIGNING_KEY here and there.",
        )
