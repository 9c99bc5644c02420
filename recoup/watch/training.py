"""What the models that score say of their training: their manifests, from the store."""

from collections.abc import Callable

from connectors.model_store.store import Store
from models.propensity.manifest import Manifest
from recoup.settings import Settings
from schemas.errors import ModelRefused


def manifests_of(settings: Settings) -> Callable[[str], Manifest | None]:
    """Finds a model's manifest by its id; None where the store has none with a reference that can be relied on."""
    store = Store(settings.models, settings.home)

    def manifest(model_id: str) -> Manifest | None:
        try:
            found = store.manifest(model_id)
        except ModelRefused:
            return None
        return found if any(found.reference.score.counts) else None

    return manifest
