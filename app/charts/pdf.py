"""Building blocks of a PDF page: headings, text, tables that break over pages, pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Image, Paragraph, Spacer, Table, TableStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, QUIET, RULE = "#16233b", "#5b6475", "#c9ced6"
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=13, textColor=INK)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=8, leading=10)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold", textColor=QUIET)
STRONG = ParagraphStyle("strong", parent=BODY, fontName="Helvetica-Bold")
TITLE = ParagraphStyle("title", parent=BODY, fontName="Helvetica-Bold", fontSize=20, leading=25)
HEADING = ParagraphStyle(
    "heading",
    parent=BODY,
    fontName="Helvetica-Bold",
    fontSize=13,
    leading=17,
    spaceBefore=12,
    spaceAfter=4,
    keepWithNext=1,
)


class Paper:
    """Collects what stands on the pages, top to bottom; ``width`` is that of the text."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.story: list[Any] = []

    def title(self, text: str, below: str) -> None:
        """Write the title and the line below it."""
        self.story += [Paragraph(escape(text), TITLE), Paragraph(escape(below), BODY)]

    def heading(self, text: str) -> None:
        """Start a part."""
        self.story.append(Paragraph(escape(text), HEADING))

    def text(self, text: str, *, strong: bool = False) -> None:
        """Write a paragraph."""
        self.story += [Paragraph(escape(text), STRONG if strong else BODY), Spacer(1, 4)]

    def bullets(self, texts: Sequence[str]) -> None:
        """Write a list."""
        self.story += [Paragraph(escape(text), BODY, bulletText="•") for text in texts]

    def picture(self, png: bytes, *, share: float = 1.0) -> None:
        """Place a picture across a share of the width."""
        wide, high = ImageReader(io.BytesIO(png)).getSize()
        width = self.width * share
        image = Image(io.BytesIO(png), width=width, height=width * high / wide, hAlign="LEFT")
        self.story += [image, Spacer(1, 4)]

    def pictures(self, named: Sequence[tuple[str, bytes]], *, across: int) -> None:
        """Place pictures of one shape side by side, each over its name; no row is parted."""
        width = self.width / across
        cells = []
        for name, png in named:
            wide, high = ImageReader(io.BytesIO(png)).getSize()
            inner = width - 6
            image = Image(io.BytesIO(png), width=inner, height=inner * high / wide)
            cells.append([image, Paragraph(escape(name), CELL)])
        cells += [[]] * (-len(cells) % across)
        rows = [cells[start : start + across] for start in range(0, len(cells), across)]
        table = Table(rows, colWidths=[width] * across)
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ]
            )
        )
        self.story += [table, Spacer(1, 6)]

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[Any]], shares: Sequence[float]
    ) -> None:
        """Place a table; its head is repeated on every page that it reaches."""
        body = [[Paragraph(escape(str(value)), CELL) for value in row] for row in rows]
        table = Table(
            [[Paragraph(escape(head), HEAD) for head in heads], *body],
            colWidths=[self.width * share for share in shares],
            repeatRows=1,
        )
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.HexColor(QUIET)),
                    ("LINEBELOW", (0, 1), (-1, -1), 0.3, colors.HexColor(RULE)),
                    ("LEFTPADDING", (0, 0), (-1, -1), 2),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        self.story += [table, Spacer(1, 6)]
