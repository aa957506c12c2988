"""How wide texts are, and how they are cut or broken to fit: known before anything is drawn."""

from collections.abc import Iterator
from functools import lru_cache

from matplotlib.font_manager import get_font
from matplotlib.ft2font import LoadFlags

from attention_core.figures import fonts

_UNIT = 64  # pixels of the letters that are measured; without hinting, widths grow in proportion
_MORE = "…"
_LONGEST = 4096  # letters: more have no room in any line, and a text may be as long as a file
_SEAMS = "&?/=+-_"  # after these an address is broken, where one is near


def width(text: str, size: float, *, italic: bool = False) -> float:
    """How many pixels wide a line of text is, in letters of `size` pixels."""
    return _width(fonts.spelled(text), italic) * size / _UNIT


def widest(texts: tuple[str, ...], size: float, *, italic: bool = False) -> float:
    """The width of the widest text in pixels, 0 of none."""
    return max((width(text, size, italic=italic) for text in texts), default=0.0)


def fitted(text: str, size: float, room: float) -> str:
    """The text, cut with "…" to what has room."""
    if width(text, size) <= room:
        return text
    least, most = 0, len(text)  # letters that surely fit, and that surely do not
    while most - least > 1:
        middle = (least + most) // 2
        if width(text[:middle].rstrip() + _MORE, size) <= room:
            least = middle
        else:
            most = middle
    return text[:least].rstrip() + _MORE


def wrapped(text: str, size: float, room: float, most: int) -> tuple[str, ...]:
    """The text in at most `most` lines: broken between words, a word longer than a line (an address) anywhere."""
    lines = [""]
    for part in (part for word in text[: most * _LONGEST].split() for part in _parts(word, size, room)):
        longer = f"{lines[-1]} {part}".lstrip()
        if width(longer, size) <= room:
            lines[-1] = longer
        elif len(lines) > most + 1:  # what follows is not drawn; the first line may be empty
            break
        else:
            lines.append(part)
    lines = [line for line in lines if line]
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[: most - 1], fitted(lines[most - 1] + _MORE * 2, size, room))


def _parts(word: str, size: float, room: float) -> Iterator[str]:
    """A word in pieces that each have room; one letter at least."""
    while (near := word[:_LONGEST]) and (len(near) < len(word) or width(near, size) > room):
        take = _fitting(near, size, room)
        seam = max(near.rfind(mark, 0, take) for mark in _SEAMS) + 1
        take = seam if seam > take / 2 else take
        yield word[:take]
        word = word[take:]
    if word:
        yield word


def _fitting(word: str, size: float, room: float) -> int:
    """How many letters of a word have room, by its mean letter and no more than that; at least one."""
    most = max(1, min(len(word), int(len(word) * room / max(width(word, size), 1))))
    if width(word[:most], size) <= room:
        return most
    least = 1  # `most` do not have room
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if width(word[:middle], size) <= room else (least, middle)
    return least


@lru_cache(maxsize=8192)
def _width(text: str, italic: bool) -> float:
    known = fonts.faces()
    files = [str(known[name].file) for name in fonts.names(text, italic=italic)]
    font = get_font(files)
    font.set_size(_UNIT, 72)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64
