"""Formulas as MathML, made safe by construction: known elements, known attributes, escaped text."""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

WORDS = re.compile(r"\w+")
ELEMENTS = frozenset(
    WORDS.findall(
        "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd "
        "mphantom mpadded"
    )
)
ATTRIBUTES = frozenset(
    WORDS.findall(
        "accent columnalign columnspacing depth display displaystyle fence form height largeop linethickness lspace "
        "mathvariant maxsize minsize movablelimits rowspacing rspace separator stretchy symmetric voffset width"
    )
)
PLAIN = re.compile(r"[\w .%+-]*")  # an attribute's value: a word, a number, a length
LONGEST = 1_000


def formula(latex: str, *, block: bool) -> str:
    """A LaTeX formula as MathML; as typed, between its dollar signs, where it is none, or is absurdly long."""
    made = _math(latex, block) if len(latex) <= LONGEST else None
    sign = "$$" if block else "$"
    return made or f"<code>{escape(sign + latex + sign)}</code>"


def _math(latex: str, block: bool) -> str | None:
    from latex2mathml.converter import convert_to_element

    try:
        # The library's errors have no common root, and what is nested too deeply is a RecursionError.
        return _written(convert_to_element(latex, display="block" if block else "inline"))
    except Exception:
        return None


def _written(element: Element) -> str:
    """An element and what it holds, written anew. What is not known is left out, and what it holds stays."""
    inner = escape(unescape(element.text or ""), quote=False) + "".join(map(_written, element))
    tail = escape(unescape(element.tail or ""), quote=False)
    if element.tag not in ELEMENTS:
        return f"<mrow>{inner}</mrow>{tail}"
    kept = "".join(
        f' {name}="{value}"' for name, value in element.attrib.items() if name in ATTRIBUTES and PLAIN.fullmatch(value)
    )
    return f"<{element.tag}{kept}>{inner}</{element.tag}>{tail}"
