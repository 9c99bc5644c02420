"""The trained models, a folder each named by the hash of its content: nothing that was changed is ever taken for a model.

Nothing in a folder is run when it is read: the scorecard and the manifest are JSON. The manifest is written last, so a
folder without one is a model that was never saved whole.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from connectors.model_store.files import Files, open_files
from connectors.model_store.settings import ModelSettings
from models.features.catalogue import FEATURES_HASH, NAMES
from models.propensity import manifest as manifests
from models.propensity import scorecard
from models.propensity.manifest import FILE, FORMAT, ID, MANIFEST, SCORECARD, Manifest
from models.propensity.scorecard import Scorecard, Scorer
from schemas.errors import BadInput, ModelRefused


class Listed(msgspec.Struct, frozen=True):
    """One folder of the store; without a manifest it was changed, and `refused` says so."""

    model_id: str
    manifest: Manifest | None
    refused: str = ""


class Store:
    """The models of an installation. Several threads may use one.

    Args:
        settings: where they are.
        home: of the installation, for what the settings leave open.
        files: instead of what the settings lead to.
    """

    def __init__(self, settings: ModelSettings, home: Path, files: Files | None = None) -> None:
        self.settings = settings
        self.home = home
        self.files = files or open_files(settings, home)

    def put(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Save a model; the manifest with the files' hashes and its id. Saving it again changes nothing.

        Raises:
            BadInput: it is no model, or the store does not take it.
        """
        hashes = {name: _hash(content) for name, content in sorted(files.items())}
        whole = manifests.with_id(msgspec.structs.replace(manifest, files=hashes))
        self._save(manifests.encode(whole), files)
        return whole

    def save(self, folder: Path) -> str:
        """Save the model of a folder of its own; its id.

        Raises:
            BadInput: the folder holds no whole model, or the store does not take it.
        """
        try:
            content = (folder / MANIFEST).read_bytes()
            names = manifests.decode(content).files
            files = {name: (folder / name).read_bytes() for name in names if FILE.fullmatch(name)}
        except OSError as error:
            raise BadInput(f"{folder} holds no whole model: {error.strerror}, {error.filename}.") from error
        except msgspec.MsgspecError as error:
            raise BadInput(f"{folder / MANIFEST} is no manifest: {error}.") from error
        return self._save(content, files)

    def _save(self, content: bytes, files: Mapping[str, bytes]) -> str:
        try:
            manifest = _manifest_of(content)
            card = _card_of(manifest, files)
            _check_card(card, manifest, (*NAMES, *(name for name in card.features if name not in NAMES)))
        except ModelRefused as refusal:
            raise BadInput(f"This cannot be saved as a model: {refusal.says}") from refusal
        model_id = manifest.model_id
        if self.is_whole(model_id):
            return model_id
        for name in manifest.files:
            self.files.write(f"{model_id}/{name}", files[name])
        self.files.write(f"{model_id}/{MANIFEST}", content)
        return model_id

    def manifest(self, model_id: str) -> Manifest:
        """What a model says of itself; raises ModelRefused when there is none or it was changed."""
        if not ID.fullmatch(model_id):
            raise ModelRefused("missing", "what is asked for is no id of a model: those are 16 digits of 0-9a-f.")
        manifest = _manifest_of(self.files.read(f"{model_id}/{MANIFEST}"))
        if manifest.model_id != model_id:
            raise ModelRefused("corrupt", f"the folder {model_id} holds the model {manifest.model_id}.")
        return manifest

    def load(self, model_id: str) -> tuple[Manifest, Scorecard]:
        """A model that can be served here, every file of it checked; raises ModelRefused when it cannot."""
        manifest = self.manifest(model_id)
        files = {name: self.files.read(f"{model_id}/{name}") for name in manifest.files if FILE.fullmatch(name)}
        card = _card_of(manifest, files)
        unknown = [name for name in manifest.features if name not in NAMES]
        if unknown:
            raise ModelRefused(
                "mismatch",
                f"it needs {', '.join(unknown)}, which no event brings; train without the ledger's own columns, or"
                " update this worker.",
            )
        if manifest.features_hash != FEATURES_HASH:
            raise ModelRefused(
                "mismatch",
                f"it was trained on other features ({manifest.features_hash}) than are served here ({FEATURES_HASH});"
                " train it again with this version, or update this worker.",
            )
        _check_card(card, manifest, NAMES)
        return manifest, card

    def list(self) -> list[Listed]:
        """Every model that was saved whole, the newest first; raises BadInput when the store cannot be read."""
        found: list[Listed] = []
        for name in self.files.folders():
            if not ID.fullmatch(name) or not self.files.has(f"{name}/{MANIFEST}"):
                continue
            try:
                found.append(Listed(name, self.manifest(name)))
            except ModelRefused as refusal:
                found.append(Listed(name, None, refusal.says))
        return sorted(found, key=lambda item: (-item.manifest.created_at if item.manifest else 0, item.model_id))

    def find(self, prefix: str) -> str:
        """The id that begins so; raises BadInput when none does, or several do."""
        ids = [name for name in self.files.folders() if ID.fullmatch(name) and self.files.has(f"{name}/{MANIFEST}")]
        found = [name for name in ids if prefix and name.startswith(prefix)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"Several models begin with {prefix}: {', '.join(found)}.")
        raise BadInput(f"No model in {self.files.where} begins with {prefix!r}. `recoup models list` shows them.")

    def location(self, model_id: str) -> str:
        """Where a model is, without the machine's own folders."""
        root = self.files.where if self.files.where.startswith("s3://") else Path(self.files.root).name
        return f"{root.rstrip('/')}/{model_id}"

    def is_whole(self, model_id: str) -> bool:
        """Whether it is there, with every file as it was."""
        try:
            manifest = self.manifest(model_id)
            return all(_hash(self.files.read(f"{model_id}/{name}")) == sha for name, sha in manifest.files.items())
        except ModelRefused:
            return False


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _manifest_of(content: bytes) -> Manifest:
    try:
        given = msgspec.json.decode(content, type=_Head)
        if given.format > FORMAT:
            raise ModelRefused(
                "mismatch", f"a newer Recoup wrote it (format {given.format}, here {FORMAT}); update this one."
            )
        manifest = manifests.decode(content)
        own = manifests.id_of(content)
    except msgspec.MsgspecError as error:
        raise ModelRefused("corrupt", f"{MANIFEST} is none: {error}.") from error
    if manifest.model_id != own:
        raise ModelRefused("corrupt", f"{MANIFEST} was changed: its content is that of {own}, not of its id.")
    return manifest


class _Head(msgspec.Struct):
    format: int


def _card_of(manifest: Manifest, files: Mapping[str, bytes]) -> Scorecard:
    """The scorecard, after every file was compared with its hash."""
    for name, sha in manifest.files.items():
        if not FILE.fullmatch(name) or name == MANIFEST:
            raise ModelRefused("corrupt", f"{MANIFEST} names a file that no model has.")
        if name not in files or _hash(files[name]) != sha:
            raise ModelRefused("corrupt", f"{name} was changed: its hash is not that of {MANIFEST}.")
    if SCORECARD not in manifest.files:
        raise ModelRefused("corrupt", f"{MANIFEST} names no {SCORECARD}.")
    try:
        return scorecard.decode(files[SCORECARD])
    except msgspec.MsgspecError as error:
        raise ModelRefused("corrupt", f"{SCORECARD} is none: {error}.") from error


def _check_card(card: Scorecard, manifest: Manifest, columns: tuple[str, ...]) -> None:
    if tuple(card.features) != manifest.features:
        raise ModelRefused("mismatch", f"{SCORECARD} has other features than {MANIFEST} says.")
    try:
        Scorer(card, columns)
    except (ValueError, IndexError) as error:
        raise ModelRefused("corrupt", f"{SCORECARD} cannot score: {error}.") from error
