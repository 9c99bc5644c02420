"""The files of the store, on a disk or in S3: read whole within a limit, and seen by others whole or not at all."""

from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from connectors.model_store.settings import ModelSettings
from connectors.s3 import S3, open_s3
from schemas.errors import BadInput, ModelRefused

MOST_BYTES = 64_000_000
"""No file of a model is larger; a scorecard has some 100 kB."""


class Files:
    """Files below one folder, named by their path in it.

    Args:
        system: pyarrow's file system.
        root: the folder in it.
        where: the folder as people are told.
    """

    def __init__(self, system: fs.FileSystem, root: str, where: str) -> None:
        self.system = system
        self.root = root.rstrip("/")
        self.where = where

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises ModelRefused when it is missing, too large or cannot be read."""
        path = f"{self.root}/{name}"
        try:
            with self.system.open_input_file(path) as file:
                size = file.size()
                if size > MOST_BYTES:
                    raise ModelRefused("corrupt", f"{name} has {size:,} bytes; no file of a model is so large.")
                content: bytes = file.read(size)
                return content
        except FileNotFoundError as error:
            raise ModelRefused("missing", f"there is no {name} in {self.where}.") from error
        except (OSError, pa.ArrowException) as error:
            raise ModelRefused("missing", f"{name} in {self.where} cannot be read: {_said(error)}.") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole: a reader finds the old one or the new one, and no half.

        Raises:
            BadInput: the store does not take it.
        """
        path = f"{self.root}/{name}"
        try:
            if isinstance(self.system, fs.LocalFileSystem):
                self.system.create_dir(path.rpartition("/")[0], recursive=True)
                with self.system.open_output_stream(f"{path}.part") as file:
                    file.write(content)
                self.system.move(f"{path}.part", path)
            else:  # an object is there when all of it is
                with self.system.open_output_stream(path) as file:
                    file.write(content)
        except (OSError, pa.ArrowException) as error:
            raise BadInput(f"{name} cannot be written to {self.where}: {_said(error)}.") from error

    def folders(self) -> list[str]:
        """Names of the folders in it; none when there is no store yet. Raises BadInput when it cannot be read."""
        try:
            found = self.system.get_file_info(fs.FileSelector(self.root, allow_not_found=True))
        except (OSError, pa.ArrowException) as error:
            raise BadInput(f"The models in {self.where} cannot be listed: {_said(error)}.") from error
        return sorted(info.base_name for info in found if info.type == fs.FileType.Directory)

    def has(self, name: str) -> bool:
        """Whether there is such a file; raises BadInput when that cannot be told."""
        try:
            return bool(self.system.get_file_info(f"{self.root}/{name}").type == fs.FileType.File)
        except (OSError, pa.ArrowException) as error:
            raise BadInput(f"The models in {self.where} cannot be read: {_said(error)}.") from error


def open_files(settings: ModelSettings, home: Path) -> Files:
    """The files that the settings lead to; nothing is asked of a server yet."""
    if not settings.store.startswith(S3):
        root = Path(settings.store) if settings.store else Path(home) / "models"
        return Files(fs.LocalFileSystem(), str(root.absolute()), str(root))
    address = settings.store.removeprefix(S3).strip("/")
    if not address:
        raise BadInput(f"RECOUP_MODELS__STORE names no bucket: {settings.store}; expected s3://bucket/prefix.")
    return Files(open_s3(settings), address, settings.store)


def _said(error: Exception) -> str:
    """The first line of what a file system says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:300]
