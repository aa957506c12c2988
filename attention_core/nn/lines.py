"""The lines of our own code that compute a step of attention, read from the source, so that they cannot drift from it.

A place is found by its function and by what it does there: assigns a name, asks for one in an `if`, or returns.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from textwrap import dedent
from types import MappingProxyType

from attention_core.errors import UnknownNameError


@dataclass(frozen=True)
class Lines:
    """Some lines of a file of this project: `first` is the number of the first one, counted from 1; all of them stand
    as far left as they can."""

    file: str
    function: str
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """From one statement of a function in a module of this package to another, the same unless given.

    Each is told by a name: "x" the first that assigns x, "if x" the first `if` that asks for x, "return" the last.
    """

    module: str
    function: str
    start: str
    stop: str = ""


_SCORES, _SOFTMAX = "attention_scores", "masked_softmax"
_PLACES: Mapping[str, _Place] = MappingProxyType(
    {
        "input": _Place("blocks", "Block._add", "added"),
        "input-cross": _Place("blocks", "Block._look_at_source", "if held"),
        "project": _Place("attention", "_Heads.split", "heads", "vectors"),
        "dot": _Place("attention", _SCORES, "scores"),
        "scale": _Place("attention", _SCORES, "scale", "scores"),
        "cap": _Place("attention", _SCORES, "if soft_cap"),
        "bias": _Place("attention", _SCORES, "return"),
        "mask": _Place("attention", _SOFTMAX, "if mask"),
        "softmax": _Place("attention", _SOFTMAX, "if empty"),
        "softmax-sink": _Place("attention", _SOFTMAX, "if sink"),
        "weigh": _Place("attention", "attention", "return"),
        "sum": _Place("attention", "attention", "return"),
        "join": _Place("attention", "_Heads.merge", "merged"),
    }
)


def lines_of(step: str, *, cross: bool = False, sink: bool = False) -> Lines:
    """The lines that compute a step, by its name in `analysis.steps.STEPS`.

    In `cross` attention keys and values come from elsewhere, and with a learned `sink` another softmax does it. An
    UnknownNameError for a step that is none.
    """
    known = [name for name in _PLACES if "-" not in name]
    if step not in known:
        raise UnknownNameError("step", step, known)
    other = {"input": "-cross" if cross else "", "softmax": "-sink" if sink else ""}
    return _read(step + other.get(step, ""))


@cache
def _read(name: str) -> Lines:
    place = _PLACES[name]
    # By name, because the package has a function that is called as a module of it is.
    module = import_module(f"{__package__}.{place.module}")
    source = inspect.getsource(module)
    body = _function(ast.parse(source), place.function).body
    first = _found(body, place.start)
    last = _found(body, place.stop) if place.stop else first
    taken = source.splitlines()[first.lineno - 1 : last.end_lineno]
    file = f"{module.__name__.replace('.', '/')}.py"
    return Lines(file, place.function, first.lineno, tuple(dedent("\n".join(taken)).splitlines()))


def _function(module: ast.Module, path: str) -> ast.FunctionDef:
    """The function of a path such as "Class.method"."""
    body: Sequence[ast.stmt] = module.body
    *classes, name = path.split(".")
    for outer in classes:
        body = next(one.body for one in body if isinstance(one, ast.ClassDef) and one.name == outer)
    return next(one for one in body if isinstance(one, ast.FunctionDef) and one.name == name)


def _found(body: Sequence[ast.stmt], what: str) -> ast.stmt:
    if what == "return":
        return next(one for one in reversed(body) if isinstance(one, ast.Return))
    if what.startswith("if "):
        asked = what.removeprefix("if ")
        return next(one for one in body if isinstance(one, ast.If) and asked in _names(one.test))
    return next(one for one in body if isinstance(one, ast.Assign | ast.AnnAssign) and what in _assigned(one))


def _names(tree: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}


def _assigned(one: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = one.targets if isinstance(one, ast.Assign) else [one.target]
    return {name for target in targets for name in _names(target)}
