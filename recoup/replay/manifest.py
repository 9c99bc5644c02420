"""What a replay rests on, pinned and hashed: two replays with the same manifest decide the same."""

from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec

import models
import schemas
from models.propensity import baseline
from schemas.control import Tenant

encode = msgspec.json.Encoder(order="sorted").encode


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Kept beside the stack's mode."""

    recoup: str
    """Version."""
    ledger: str
    mapping: str
    tenants: dict[str, str]
    model: str
    policy: dict[str, str]
    """Tenant -> the policy that decides for it."""
    core: str
    """The code that folds, scores, decides and judges, rules included, and the contracts that it reads."""
    bucket_hours: int
    until: str
    """The last marker, RFC 3339."""

    @property
    def digest(self) -> str:
        """One hash over all of it."""
        return sha256(encode(self)).hexdigest()


def manifest_of(ledger: Path, mapping: Path, tenants: Iterable[Tenant], *, bucket_hours: int, until: str) -> Manifest:
    """Hash everything that decisions depend on."""
    found = sorted(tenants, key=lambda tenant: tenant.tenant_id)
    return Manifest(
        recoup=version("recoup"),
        ledger=_hash_file(ledger),
        mapping=_hash_file(mapping),
        tenants={tenant.tenant_id: sha256(encode(tenant)).hexdigest() for tenant in found},
        model=baseline.MODEL,
        policy={tenant.tenant_id: f"schedule:{tenant.strategy.name}" for tenant in found},
        core=core_hash(),
        bucket_hours=bucket_hours,
        until=until,
    )


def core_hash() -> str:
    """A hash over every file of the pure core and of the contracts, in the order of their names."""
    hashed = sha256()
    for package in (models, schemas):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".py", ".yaml"):
                hashed.update(f"{package.__name__}/{path.relative_to(folder).as_posix()}\n".encode())
                hashed.update(path.read_bytes())
    return hashed.hexdigest()


def _hash_file(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
