"""Numbers as the page writes them (static/js/lib/i18n.js, overlay.js, diverging.js): a figure says what it said."""

from decimal import ROUND_HALF_UP, Decimal
from math import ceil, isnan

LEAST = 0.05  # weights and changes below it are not written into cells
LEAST_LIMIT = 0.05  # of changes as small as these a picture is not made to look full of them


def fixed(value: float, digits: int) -> str:
    """The number with that many decimals; halves go up, as in JavaScript's toFixed, not to the even digit."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def short(weight: float) -> str:
    """ ".49", "1.0": two decimals without the zero, for cells."""
    return "1.0" if weight >= 0.995 else fixed(weight, 2)[1:]


def cell(weight: float) -> str:
    """A weight as it stands in a cell: nothing where it is below `LEAST` or blocked."""
    return "" if isnan(weight) or weight < LEAST else short(weight)


def change_cell(change: float) -> str:
    """A change as it stands in a cell: "+.12", "−.40", nothing where it is small."""
    if isnan(change) or abs(change) < LEAST:
        return ""
    return f"{'−' if change < 0 else '+'}{short(abs(change))}"


def weight(value: float, digits: int = 3) -> str:
    """A weight as it is printed everywhere: three decimals, or two where room is short."""
    return fixed(value, digits)


def signed(change: float, digits: int = 3) -> str:
    """ "+0.318", "−0.318", "0.000": a change as it is printed."""
    text = fixed(abs(change), digits)
    return text if Decimal(text) == 0 else f"{'−' if change < 0 else '+'}{text}"


def tick(value: float) -> str:
    """A number of a colour bar in as few digits as say it: 0, 0.001, 0.25, 1."""
    if value in (0, 1):
        return str(int(value))
    if value < 0.0005:
        return f"{value:.0e}".replace("e-0", "e-")
    text = fixed(value, 3 if value < 0.01 else 2)
    return text.rstrip("0").rstrip(".")


def limit(changes: float) -> float:
    """Where the colours of changes end: the largest of either direction, in steps that can be read, at most 1."""
    return min(1.0, max(LEAST_LIMIT, ceil(changes * 20 - 1e-6) / 20))
