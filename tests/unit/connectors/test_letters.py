"""Letters as files: whole, once for each contact, and readable by who prints and posts them."""

import datetime as dt
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from connectors.channels.channel import Delivery, Message
from connectors.channels.letters import Letters
from connectors.channels.page import WIDTH, WINDOW, Paper, draw, paragraphs
from connectors.channels.settings import LetterSettings
from models.clock import WallClock
from schemas.control import Sender
from schemas.errors import NotSent
from tests.unit.connectors.s3_server import serving

SENDER = Sender(name="Nordlicht Software GmbH", postal_address=("Speicherstraße 12", "20457 Hamburg"))
DAY = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def message(**more: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "key-1",
        "contact_id": "a1-d1:contact",
        "tenant_id": "nordlicht",
        "account_id": "a1",
        "channel": "letter",
        "address": "Łucja Ødegård\nHauptstraße 1\n10115 Berlin",
        "template": "dunning_last",
        "subject": "Letzte Mahnung",
        "text": "Guten Tag,\n\noffen sind 1.234,56 €.\n\nMit freundlichen Grüßen\nNordlicht",
        "language": "de",
        "sender": SENDER,
    }
    return Message(**(fields | more))


async def test_a_letter_lies_beside_what_says_where_it_goes(tmp_path: Path):
    delivery = await Letters(LetterSettings(), tmp_path, WallClock()).send(message())
    pdf = tmp_path / "letters" / str(delivery.provider_id)
    manifest = json.loads(pdf.with_suffix(".json").read_text())
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert manifest["letter"] == delivery.provider_id
    assert manifest["sha256"] == sha256(pdf.read_bytes()).hexdigest()
    assert manifest["recipient"] == ["Łucja Ødegård", "Hauptstraße 1", "10115 Berlin"]
    assert (manifest["pages"], manifest["contact_id"]) == (1, "a1-d1:contact")
    assert [path.suffix for path in pdf.parent.iterdir() if path.suffix not in (".pdf", ".json")] == []


async def test_a_letter_that_was_handed_over_stays_as_it_is(tmp_path: Path):
    letters = Letters(LetterSettings(), tmp_path, WallClock())
    first = await letters.send(message())
    pdf = tmp_path / "letters" / str(first.provider_id)
    before = pdf.read_bytes(), pdf.stat().st_mtime_ns
    assert await letters.send(message(text="Something else.")) == first
    assert (pdf.read_bytes(), pdf.stat().st_mtime_ns) == before


async def test_a_letter_that_was_cut_short_is_written_again(tmp_path: Path):
    letters = Letters(LetterSettings(), tmp_path, WallClock())
    first = await letters.send(message())
    pdf = tmp_path / "letters" / str(first.provider_id)
    pdf.with_suffix(".json").unlink()
    pdf.write_bytes(b"half")
    assert await letters.send(message()) == first
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert pdf.with_suffix(".json").exists()


async def test_letters_lie_in_a_bucket_as_well(tmp_path: Path):
    with serving() as bucket:
        settings = LetterSettings(
            store="s3://post/out", s3_endpoint=bucket.url, s3_access_key="reader", s3_secret_key="secret"
        )
        letters = Letters(settings, tmp_path, WallClock())
        delivery = await letters.send(message())
        assert bucket.objects[f"post/out/{delivery.provider_id}"].startswith(b"%PDF-")
        assert set(bucket.objects) == {
            f"post/out/{delivery.provider_id}",
            f"post/out/{delivery.provider_id}".replace(".pdf", ".json"),
        }
        bucket.refuse = True
        with pytest.raises(NotSent) as refused:
            await letters.send(message(key="key-2"))
        assert (refused.value.code, refused.value.scope) == ("store:OSError", "provider")


async def test_letters_of_two_tenants_do_not_meet(tmp_path: Path):
    letters = Letters(LetterSettings(), tmp_path, WallClock())
    ids = {(await letters.send(message(tenant_id=tenant))).provider_id for tenant in ("acme", "nordlicht")}
    assert len(ids) == 2


@pytest.mark.parametrize("page", ["A4", "Letter"])
def test_a_long_letter_has_more_pages_and_a_short_one_has_one(page: Any):
    assert draw(message(), DAY, page)[1] == 1
    assert draw(message(text="\n\n".join(["One paragraph of the letter."] * 60)), DAY, page)[1] == 3


def test_every_line_of_an_address_stands_whole_in_the_window(monkeypatch: pytest.MonkeyPatch):
    drawn: list[tuple[str, float, float]] = []

    def cell(paper: Paper, w: float, h: float, text: str, **more: Any) -> None:
        drawn.append((text, paper.get_string_width(text), paper.get_y() + h))
        FPDF.cell(paper, w, h, text, **more)

    monkeypatch.setattr(Paper, "cell", cell)
    lines = [
        "A" * 90,
        "Flat 3",
        "12 High Street",
        "Old Village",
        "Near Town",
        "Some County",
        "SW1A 1AA",
        "United Kingdom",
    ]
    draw(message(address="\n".join(lines)), DAY, "A4")
    shown = {text: (width, bottom) for text, width, bottom in drawn}
    assert all(shown[line][0] <= WIDTH and shown[line][1] <= WINDOW["A4"][1] + 45 for line in lines)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"address": "\N{CJK UNIFIED IDEOGRAPH-6F22}\nHauptstraße 1\n10115 Berlin"}, "not_offered:characters"),
        ({"text": "Guten Tag \x07"}, "not_offered:characters"),
        ({"address": "\n".join(["Zeile"] * 11)}, "bad_address"),
    ],
)
async def test_a_letter_that_would_show_gaps_is_none(more: dict[str, str], code: str, tmp_path: Path):
    channel = Letters(LetterSettings(), tmp_path, WallClock())
    assert await channel.send(message(**more)) == Delivery("failed", code=code)
    assert not files(tmp_path)


async def test_tabs_and_other_scripts_of_the_font_are_written(tmp_path: Path):
    channel = Letters(LetterSettings(), tmp_path, WallClock())
    said = "a\tb\r\n\r\n\N{CYRILLIC CAPITAL LETTER YA}\N{GREEK SMALL LETTER OMEGA}, zażółć"
    assert (await channel.send(message(text=said, subject="12\N{NO-BREAK SPACE}€"))).status == "sent"


def test_the_same_letter_of_the_same_moment_is_the_same_file():
    assert draw(message(), DAY, "A4") == draw(message(), DAY, "A4")


def test_a_letter_in_a_language_without_rules_for_dates_is_dated_in_english():
    assert draw(message(language="xx"), DAY, "A4")[1] == 1


def test_empty_lines_part_paragraphs_and_line_breaks_stay():
    assert paragraphs("One,\r\n\r\n\n\ntwo\nlines\n") == ["One,", "two\nlines"]
