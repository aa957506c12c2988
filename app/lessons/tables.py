"""Tables in time that grows with their text: Markdown gives every row as many cells as the first one has, so a few
hundred characters could ask for tens of thousands."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table

from app.lessons.format import LONGEST_TEXT

# Of all tables of a text. A cell that is written takes a character at least, so none that is written in full has more.
MOST_CELLS = LONGEST_TEXT
_CELLS = "cells so far"


def bounded(parser: MarkdownIt) -> MarkdownIt:
    """The parser, for which what would be too large a table is no table."""
    parser.enable("table").block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    return parser


def _table(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    if silent:  # only asked whether one begins here
        return table(state, begin, end, silent)
    after = begin + 1
    columns = state.src.count("|", state.bMarks[after], state.eMarks[after]) + 1 if after < end else 0
    while after < end and not state.isEmpty(after):
        after += 1
    cells = state.env.get(_CELLS, 0) + columns * (after - begin)
    if cells > MOST_CELLS or not table(state, begin, end, silent):
        return False
    state.env[_CELLS] = cells
    return True
