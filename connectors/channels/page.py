"""A letter on paper: sender, address where a window envelope shows it, date, subject, paragraphs and page numbers.

The places are those of DIN 5008 form B for A4, which European window envelopes fit, and of a number 10 envelope with a
left window for US Letter. Lengths are millimetres.
"""

import datetime as dt
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from connectors.channels.channel import Message
from models.addresses import postal_lines
from schemas.errors import NotReady

FONT = "DejaVu"
FILES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
"""Come with matplotlib, and hold Latin, Greek and Cyrillic."""
TEXT, SMALL, TINY = 10.0, 8.0, 6.5
"""Points."""
LINE = 5.0
INK, GREY = 0, 110

Page = Literal["A4", "Letter"]
WINDOW = {"A4": (25.0, 45.0), "Letter": (25.0, 51.0)}
"""Left and top of the address window's content."""
WIDTH = 80.0
"""Of the window."""
BODY_TOP = {"A4": 98.0, "Letter": 95.0}
HEIGHT = 30.0
"""Of the window, below the sender's line: six lines in full size; more, or longer ones, are written smaller."""
MARGINS = (25.0, 27.0, 25.0)
"""Left, top (of the second page on), right."""
BOTTOM = 25.0
PAGE_OF = {"de": "Seite {page} von {{nb}}", "es": "Página {page} de {{nb}}"}
PAGE_OF_ELSE = "Page {page} of {{nb}}"


class Paper(FPDF):
    """Sheets with a running foot: the sender's name and the number of the page."""

    def __init__(self, message: Message, page: Page) -> None:
        super().__init__(format=page)
        self.message = message
        self.set_auto_page_break(auto=True, margin=BOTTOM)
        self.set_margins(*MARGINS)
        for style, file in FILES.items():
            self.add_font(FONT, style, fonts() / file)
        self.set_title(message.subject or message.template)
        self.set_author(message.sender.name)
        self.set_lang(message.language)

    def footer(self) -> None:
        """fpdf2 calls this at the end of each page."""
        self.set_y(-15)
        self.set_font(FONT, size=TINY)
        self.set_text_color(GREY)
        says = PAGE_OF.get(self.message.language.partition("-")[0], PAGE_OF_ELSE).format(page=self.page_no())
        half = self.epw / 2
        self.cell(half, 4, " · ".join(_lines_of_sender(self.message)[:3]), align="L")
        self.cell(half, 4, says.replace("{{nb}}", "{nb}"), align="R")
        self.set_text_color(INK)


def draw(message: Message, at: dt.datetime, page: Page) -> tuple[bytes, int]:
    """The PDF of a letter, and how many pages it has.

    Args:
        at: the day that is written on it.
    """
    paper = Paper(message, page)
    paper.creation_date = at
    paper.add_page()
    _sender(paper)
    _address(paper, page)
    paper.set_y(BODY_TOP[page])
    paper.set_font(FONT, size=TEXT)
    place = XPos.LMARGIN, YPos.NEXT
    paper.cell(paper.epw, LINE, _date(at, message.language), align="R", new_x=place[0], new_y=place[1])
    paper.ln(LINE)
    if message.subject:
        paper.set_font(FONT, "B", TEXT + 1)
        paper.multi_cell(paper.epw, LINE + 1, message.subject, align="L", new_x=place[0], new_y=place[1])
        paper.ln(LINE)
        paper.set_font(FONT, size=TEXT)
    for paragraph in paragraphs(message.text):
        paper.multi_cell(paper.epw, LINE, paragraph, align="L", new_x=place[0], new_y=place[1])
        paper.ln(LINE * 0.7)
    return bytes(paper.output()), paper.pages_count


def printable(message: Message) -> bool:
    """Whether the font has every character of a letter: a box in a name or an address is no letter to its customer."""
    said = (message.address, message.subject or "", *paragraphs(message.text), *_lines_of_sender(message))
    return all(ord(character) in characters() for character in set("".join(said)) - {"\n"})


@cache
def characters() -> frozenset[int]:
    """The code points that all faces of the font hold."""
    return frozenset.intersection(
        *(frozenset(TTFont(fonts() / file, lazy=True).getBestCmap()) for file in FILES.values())
    )


def paragraphs(text: str) -> list[str]:
    """Parted by empty lines; line breaks inside stay, as in a signature, and tabs are blanks."""
    parts = text.replace("\r\n", "\n").expandtabs(4).split("\n\n")
    return [paragraph.strip("\n") for paragraph in parts if paragraph.strip()]


@cache
def fonts() -> Path:
    """The folder of the fonts."""
    found = find_spec("matplotlib")  # only found: it loads slowly, and nothing here draws a plot
    if found is None or not found.submodule_search_locations:
        raise NotReady("The fonts of letters come with matplotlib, which is not installed here.")
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"


def _sender(paper: Paper) -> None:
    """Who writes, at the top on the right."""
    sender = paper.message.sender
    paper.set_xy(MARGINS[0], 15)
    paper.set_font(FONT, "B", TEXT + 3)
    paper.cell(paper.epw, 7, sender.name, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_font(FONT, size=SMALL)
    paper.set_text_color(GREY)
    for line in (*sender.postal_address, sender.phone, sender.email, sender.website):
        if line:
            paper.cell(paper.epw, 4, line, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.set_text_color(INK)


def _address(paper: Paper, page: Page) -> None:
    """Where it goes, and above it in small letters where it comes back to: both are seen through the window."""
    left, top = WINDOW[page]
    paper.set_xy(left, top)
    paper.set_font(FONT, "", TINY)
    paper.set_text_color(GREY)
    paper.multi_cell(WIDTH, 3, " · ".join(_lines_of_sender(paper.message)), align="L", max_line_height=3)
    paper.set_text_color(INK)
    paper.set_xy(left, top + 12)
    lines = postal_lines(paper.message.address)
    height = min(LINE, HEIGHT / len(lines))
    for line in lines:
        paper.set_font(FONT, size=TEXT)
        room = (WIDTH - 2 * paper.c_margin) / max(paper.get_string_width(line), 1)
        paper.set_font(FONT, size=TEXT * min(1.0, height / LINE, room))
        paper.cell(WIDTH, height, line, new_x=XPos.LEFT, new_y=YPos.NEXT)


def _lines_of_sender(message: Message) -> list[str]:
    return [message.sender.name, *message.sender.postal_address]


def _date(at: dt.datetime, language: str) -> str:
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale("en")
    return format_date(at.date(), format="long", locale=locale)
