"""The fonts of drawn pictures: files that travel with packages, so that a picture is the same on every machine.

Nothing that is installed on the machine is used. Each text gets the few faces that its letters need; a letter that no
face has is spelled out as U+XXXX. All faces are under the SIL Open Font License, DejaVu under its own free licence.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from threading import Lock

import matplotlib
from matplotlib.font_manager import FontEntry, fontManager
from matplotlib.ft2font import FT2Font

_NOTO, _CJK = "manimgx-fonts", "notojp-matplotlib"
# Scripts that need letters of one face side by side, so that they join.
_SCRIPTS = (
    *("Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Kannada", "Malayalam", "Oriya", "Sinhala", "Tamil", "Telugu"),
    *("Thai", "Lao", "Khmer", "Myanmar", "Ethiopic"),
)
_UPRIGHT, _ITALIC, _DEJAVU, _EAST = "Noto Sans", "Noto Sans Italic", "DejaVu Sans", "Noto Sans CJK JP"
_SIGNS, _EMOJI = "Noto Sans Symbols", "Noto Emoji"
# A letter is looked for in these in turn. Arabic and Hebrew are DejaVu's: it keeps a letter and its dots one glyph, so
# that they can be copied out of a PDF.
_ORDER = (_UPRIGHT, _DEJAVU, _EAST, *(f"Noto Sans {name}" for name in _SCRIPTS), _SIGNS, _EMOJI)
_UNWRITTEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, ends of lines: a text is one line
_FIRST_EMOJI = 0x1F000


@dataclass(frozen=True)
class Face:
    """A font file: `family` is what matplotlib is asked for (a name that no other font has), `name` its own name."""

    name: str
    file: Path

    @property
    def family(self) -> str:
        """Its name among matplotlib's fonts."""
        return f"Attention Atlas {self.name}"

    @property
    def characters(self) -> frozenset[int]:
        """The code points that it has."""
        return _characters(self.file)


def families(text: str, *, italic: bool = False) -> tuple[str, ...]:
    """The families that draw the text, for matplotlib's `fontfamily`; the first is Noto Sans unless a script needs
    its letters from one face. Italics where the whole text has them."""
    return tuple(face.family for face in _chosen(text, italic))


def names(text: str, *, italic: bool = False) -> tuple[str, ...]:
    """The same faces by their own names."""
    return tuple(face.name for face in _chosen(text, italic))


def name_of(family: str) -> str | None:
    """The own name of a face of ours, None for any other family."""
    return next((face.name for face in faces().values() if face.family == family), None)


@lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    """The text with U+XXXX in the place of what no face can draw."""
    return "".join(one if _is_drawn(one) else f"U+{ord(one):04X}" for one in text)


def missing(texts: Iterable[str]) -> tuple[str, ...]:
    """The characters among the texts that no face can draw, each once."""
    return tuple(dict.fromkeys(one for text in texts for one in text if not _is_drawn(one)))


def needs_postscript(text: str) -> bool:
    """Whether a face with PostScript outlines takes part (Chinese, Japanese, Korean)."""
    return _EAST in names(text)


@cache
def faces() -> dict[str, Face]:
    """The faces by their own names, known to matplotlib from now on; those whose package is missing are left out."""
    with _REGISTERING:
        found = {name: Face(name, file) for name, file in _files() if file.is_file()}
        known = {entry.name for entry in fontManager.ttflist}
        for face in found.values():
            if face.family not in known:
                entry = FontEntry(fname=str(face.file), name=face.family, weight=400, size="scalable")
                fontManager.ttflist.append(entry)
        return found


_REGISTERING = Lock()


def _files() -> list[tuple[str, Path]]:
    """(own name, file) of every face. No package is imported: one of them would change matplotlib's settings."""
    found = [(_DEJAVU, Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")]
    noto = {_UPRIGHT: "NotoSans", _ITALIC: "NotoSans-Italic", _SIGNS: "NotoSansSymbols", _EMOJI: "NotoEmoji"}
    noto |= {f"Noto Sans {name}": f"NotoSans{name}" for name in _SCRIPTS}
    wanted = [(_NOTO, name, f"manimgx_fonts/{stem}[wght].ttf") for name, stem in noto.items()]
    for package, name, place in (*wanted, (_CJK, _EAST, "notojp_matplotlib/fonts/NotoSansCJKjp-Regular.otf")):
        try:
            found.append((name, Path(str(distribution(package).locate_file(place)))))
        except PackageNotFoundError:
            continue
    return found


@lru_cache(maxsize=4096)
def _chosen(text: str, italic: bool) -> tuple[Face, ...]:
    known = faces()
    if italic and _ITALIC in known and all(ord(one) in known[_ITALIC].characters for one in text):
        return (known[_ITALIC],)
    needed = dict.fromkeys(filter(None, (_face_of(one) for one in text if not one.isspace())))
    plain = (_UPRIGHT, _DEJAVU, _SIGNS, _EMOJI)
    chosen = [name for name in needed if name not in plain]
    chosen += [name for name in plain if name in needed]
    return tuple(known[name] for name in chosen or (_UPRIGHT,) if name in known) or (known[_DEJAVU],)


@lru_cache(maxsize=65536)
def _face_of(character: str) -> str | None:
    """The name of the face that draws the character, None where none does or it is nothing to be seen."""
    point, known = ord(character), faces()
    if _is_silent(character):
        return None
    order = (_EMOJI, *_ORDER) if point >= _FIRST_EMOJI else _ORDER
    return next((name for name in order if name in known and point in known[name].characters), None)


def _is_drawn(character: str) -> bool:
    if unicodedata.category(character) in _UNWRITTEN:
        return False
    return character.isspace() or _is_silent(character) or _face_of(character) is not None


def _is_silent(character: str) -> bool:
    """Joiners and variation selectors shape their neighbours and have no form of their own."""
    point = ord(character)
    return unicodedata.category(character) == "Cf" or 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF


@cache
def _characters(file: Path) -> frozenset[int]:
    return frozenset(FT2Font(str(file)).get_charmap())
