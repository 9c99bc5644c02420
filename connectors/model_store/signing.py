"""A release is signed by who may release, so that nobody else who can write to Kafka puts a model in force.

The signature covers the tenant, the role and the time: a release for one tenant is no release for another, and a worker
that knows the newer one passes an older one over that is sent again. What it cannot prevent: who can write to the topic
can withdraw a release with an empty message, and what is sent under its key takes its place when the topic is compacted,
so that a worker that starts afterwards finds the older one, or none. Kafka's own rights say who can write to it.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path

import msgspec

from connectors.model_store.settings import ModelSettings
from schemas.control import ModelReleased
from schemas.errors import ModelRefused

KEY_FILE = "models.key"


def read_key(settings: ModelSettings, home: Path) -> bytes | None:
    """The signing key: that of the settings, else that of `<home>/models.key`; None = there is none yet."""
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value().encode()
    with contextlib.suppress(FileNotFoundError):
        return (Path(home) / KEY_FILE).read_bytes().strip()
    return None


def make_key(settings: ModelSettings, home: Path) -> bytes:
    """The signing key; a random one is made when there is none. Whoever comes second takes the first one's."""
    key = read_key(settings, home)
    if key:
        return key
    path = Path(home) / KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{KEY_FILE}.{uuid.uuid4().hex}")
    with os.fdopen(os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n")
    with contextlib.suppress(FileExistsError):
        os.link(written, path)  # whole or not at all, and never over another one
    written.unlink()
    return path.read_bytes().strip()


def signature(release: ModelReleased, key: bytes) -> str:
    """HMAC-SHA256, in hex, of what a release does."""
    signed = (
        release.event_id,
        release.occurred_at,
        release.tenant_id,
        release.role,
        release.model,
        release.location,
        release.features_hash,
        release.target,
        release.override,
        release.moment,
        release.previous,
        release.released_by,
    )
    return hmac.new(key, msgspec.json.encode(signed), hashlib.sha256).hexdigest()


def sign(release: ModelReleased, key: bytes) -> ModelReleased:
    """The release with its signature."""
    return msgspec.structs.replace(release, signature=signature(release, key))


def check_signature(release: ModelReleased, key: bytes | None) -> None:
    """Raise ModelRefused when a release was not signed with this key."""
    if not key:
        raise ModelRefused(
            "unsigned",
            f"there is no key to check the release with; set RECOUP_MODELS__SIGNING_KEY to that of who releases, or"
            f" share their <home>/{KEY_FILE}.",
        )
    if not hmac.compare_digest(signature(release, key).encode(), release.signature.encode()):
        raise ModelRefused(
            "unsigned",
            "its signature is not of this release and this key; release it with `recoup models release`, with the same"
            " RECOUP_MODELS__SIGNING_KEY here and there.",
        )
