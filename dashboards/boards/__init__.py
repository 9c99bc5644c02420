"""One module for each dashboard, and the list of them."""

from typing import Final

from dashboards.board import Board
from dashboards.boards import agents, collections, compliance, contacts, infrastructure, models, pipeline

BOARDS: Final[tuple[Board, ...]] = (
    collections.BOARD,
    contacts.BOARD,
    agents.BOARD,
    compliance.BOARD,
    models.BOARD,
    pipeline.BOARD,
    infrastructure.BOARD,
)
"""In the order in which people look at them."""
