"""Template files: a folder for each tenant, in it one for each template, in it a file for each channel and language.

`<tenant>/<template>/<channel>.<language>.txt` holds the text, with its subject and purpose before it as YAML between
two lines of `---`; `<channel>.<language>.html` beside it holds the same as HTML. The folder `_default` is everybody's.
"""

import re
from pathlib import Path

import msgspec
import yaml

from schemas.envelope import ContactMode, Purpose
from schemas.errors import BadInput
from schemas.templates import EVERYBODY, TemplateRegistered

DEFAULT = "_default"
FRONT = re.compile(r"\A---\n(?P<front>.*?)^---\n", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"^(?P<channel>[a-z]+)\.(?P<language>[A-Za-z-]+)$")


class Front(msgspec.Struct, forbid_unknown_fields=True):
    """What stands before the text."""

    subject: str | None = None
    purpose: Purpose = "collection"
    mode: ContactMode = "live"
    occasion: str = "any"


class TemplateFile(msgspec.Struct, frozen=True):
    """A template and where it was read."""

    template: TemplateRegistered
    path: Path
    lines_before: int
    """Lines of the file before the text's first one."""

    def place(self, part: str, line: int | None) -> str:
        """A place in the template, as people find it: file and line."""
        if part == "html":
            path, number = self.path.with_suffix(".html"), line
        else:
            path, number = self.path, None if line is None or part != "text" else line + self.lines_before
        return f"{path}{f', line {number}' if number else ''}"


def read_folder(folder: Path, tenant_id: str | None = None) -> list[TemplateFile]:
    """The templates of a folder, in the order of their keys.

    Args:
        tenant_id: only those of one tenant, `*` = everybody's; None = all.

    Raises:
        BadInput: there is no such folder, or a file cannot be read; every bad file is told.
    """
    if tenant_id is not None:
        name = folder_of(tenant_id)
        if name in ("", ".", "..") or Path(name).name != name:
            raise BadInput(f"{tenant_id!r} is no tenant's id. `*` = the templates of all who have none of their own.")
        tenants = [folder / name]
    else:
        tenants = sorted(path for path in folder.glob("*") if path.is_dir())
    if not tenants or not all(path.is_dir() for path in tenants):
        missing = next((path for path in tenants if not path.is_dir()), folder)
        raise BadInput(f"There is no folder {missing} with templates. Name it, or set RECOUP_TEMPLATES_DIR.")
    found: list[TemplateFile] = []
    faults: list[str] = []
    for path in (path for tenant in tenants for path in sorted(tenant.glob("*/*.txt"))):
        try:
            found.append(read_file(path))
        except BadInput as fault:
            faults.append(str(fault))
    faults += [
        f"{html}: has no {html.with_suffix('.txt').name} beside it; every message has a plain text."
        for html in (path for tenant in tenants for path in sorted(tenant.glob("*/*.html")))
        if not html.with_suffix(".txt").is_file()
    ]
    if faults:
        raise BadInput("\n".join(faults))
    return found


def folder_of(tenant_id: str) -> str:
    """The name of a tenant's folder."""
    return DEFAULT if tenant_id == EVERYBODY else tenant_id


def read_file(path: Path) -> TemplateFile:
    """The template of one text file and the HTML beside it; raises BadInput, which says where it is wrong."""
    named = NAME.match(path.stem)
    if named is None:
        raise BadInput(f"{path}: expected a name such as email.en.txt or sms.es-US.txt.")
    source = _read(path)
    front, before = _front(path, source)
    html = path.with_suffix(".html")
    tenant = path.parent.parent.name
    fields = {
        "tenant_id": EVERYBODY if tenant == DEFAULT else tenant,
        "template": path.parent.name,
        "channel": named["channel"],
        "language": named["language"],
        "text": source.split("\n", before)[-1] if before else source,
        "html": _read(html) if html.is_file() else None,
        **{name: value for name, value in msgspec.structs.asdict(front).items() if value is not None},
    }
    try:
        template = msgspec.convert(fields, TemplateRegistered)
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: {error}.") from error
    return TemplateFile(template, path, before)


def _front(path: Path, source: str) -> tuple[Front, int]:
    """What stands before the text, and how many lines it takes."""
    found = FRONT.match(source)
    if found is None:
        if source.startswith("---"):
            raise BadInput(f"{path}: the line `---` that ends what stands before the text is missing.")
        return Front(), 0
    try:
        front = msgspec.convert(yaml.safe_load(found["front"]) or {}, Front)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 2}"
        raise BadInput(f"{path}{where}: not YAML: {getattr(error, 'problem', None) or 'unreadable'}.") from error
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: before the text: {error}.") from error
    return front, found[0].count("\n")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: byte {error.start} is not UTF-8.") from error
