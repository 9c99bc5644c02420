"""Letters as PDF files for whoever prints and posts them: whole or not there, and one for each contact.

A letter is two files named by its key: the PDF, and beside it a manifest (JSON) that says where it goes. The manifest is
written last, so a PDF without one is a letter that is not to be posted, and a manifest that is there already is a letter
that was handed over before.
"""

import asyncio
from hashlib import blake2b, sha256
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow import fs

from connectors.channels.channel import BAD_ADDRESS, NOT_OFFERED, Delivery, Message
from connectors.channels.settings import LetterSettings
from connectors.s3 import ANSWER_SECONDS, ATTEMPTS, CONNECT_SECONDS, S3, open_s3
from models.addresses import postal_lines, reachable
from models.calendar import utc
from models.clock import Clock
from schemas.errors import NotSent

FILES = 3
"""Looked for or written for one letter."""
DRAWING_SECONDS = 5.0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a letter; the number of files to post is the number of manifests."""

    letter: str
    """The PDF's name."""
    sha256: str
    pages: int
    tenant_id: str
    contact_id: str
    template: str
    language: str
    recipient: tuple[str, ...]
    """The lines of the address."""
    written_at: str


class Letters:
    """Puts letters into a folder or a bucket."""

    name = "letter"
    idempotent = True

    def __init__(self, settings: LetterSettings, home: Path, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.most_seconds = FILES * ATTEMPTS * (CONNECT_SECONDS + ANSWER_SECONDS) + DRAWING_SECONDS
        if settings.store.startswith(S3):
            self.system: fs.FileSystem = open_s3(settings)
            self.root = settings.store.removeprefix(S3).strip("/")
        else:
            self.system = fs.LocalFileSystem()
            self.root = str((Path(settings.store) if settings.store else Path(home) / "letters").absolute())

    async def send(self, message: Message) -> Delivery:
        """Write the letter; raises NotSent when the store does not take it."""
        if message.channel != "letter":
            return Delivery("failed", code=NOT_OFFERED)
        if not reachable("letter", message.address):
            return Delivery("failed", code=BAD_ADDRESS)
        return await asyncio.to_thread(self._put, message)

    async def close(self) -> None:
        """Files are closed when they are written."""

    def _put(self, message: Message) -> Delivery:
        from connectors.channels.page import draw, printable  # noqa: PLC0415 - loads slowly, and only letters need it

        name = f"{message.tenant_id}/{blake2b(message.key.encode(), digest_size=16).hexdigest()}"
        delivery = Delivery("sent", provider_id=f"{name}.pdf")
        if not printable(message):  # fpdf2 would draw boxes, and name the characters in its log
            return Delivery("failed", code=f"{NOT_OFFERED}:characters")
        try:
            if self.system.get_file_info(f"{self.root}/{name}.json").type == fs.FileType.File:
                return delivery
            now = self.clock.now()
            content, pages = draw(message, utc(now), self.settings.page)
            manifest = Manifest(
                letter=f"{name}.pdf",
                sha256=sha256(content).hexdigest(),
                pages=pages,
                tenant_id=message.tenant_id,
                contact_id=message.contact_id,
                template=message.template,
                language=message.language,
                recipient=tuple(postal_lines(message.address)),
                written_at=utc(now).isoformat(),
            )
            self._write(f"{name}.pdf", content)
            self._write(f"{name}.json", msgspec.json.format(msgspec.json.encode(manifest)))
        except (OSError, pa.ArrowException) as error:
            kind = type(error).__name__
            raise NotSent(f"The store of letters does not take a letter ({kind}).", code=f"store:{kind}") from error
        return delivery

    def _write(self, name: str, content: bytes) -> None:
        """Write a file whole: a reader finds all of it or nothing."""
        path = f"{self.root}/{name}"
        if not isinstance(self.system, fs.LocalFileSystem):  # an object is there when all of it is
            with self.system.open_output_stream(path) as file:
                file.write(content)
            return
        self.system.create_dir(path.rpartition("/")[0], recursive=True)
        with self.system.open_output_stream(f"{path}.part") as file:
            file.write(content)
        self.system.move(f"{path}.part", path)
