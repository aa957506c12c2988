"""Data from outside held to the annotations of a frozen dataclass: exact types, finite numbers, whole characters.

Python does not hold a constructor's arguments to their annotations, and what was read as JSON may be anything.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from attention_core.errors import TraceError

WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object"}
LARGEST = 2**53 - 1  # the whole numbers that JavaScript keeps exactly


def restored(kind: Any, value: Any, where: str) -> Any:
    """The `kind` that JSON data describes: a dataclass from an object of its fields, a tuple from a list.

    A TraceError names the field that is of another type, not there or not known, holds a number that is not finite, or
    half of a surrogate pair. What the dataclass's own constructor raises goes through.
    """
    origin, inside = get_origin(kind), get_args(kind)
    if origin is dict:
        return _plain(dict, value, where)
    if is_dataclass(kind):
        return _object(kind, value, where)
    if origin in (UnionType, Union):
        return _one_of(inside, value, where)
    if origin is Literal:
        return value if type(value) is str and value in inside else _refuse(where, value, " or ".join(inside))
    if origin is tuple:
        return _tuple(inside, value, where)
    if origin is Mapping:
        return _mapping(inside, value, where)
    return _plain(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float and type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        return number if math.isfinite(number) else _refuse(where, value, "a finite number")
    if kind is NoneType and value is None:
        return None
    if type(value) is not kind:  # a bool is no int
        return _refuse(where, value, WORDS.get(kind, "null"))
    if kind is int and abs(value) > LARGEST:
        return _refuse(where, value, f"a whole number up to {LARGEST}")
    if kind is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise TraceError(f"{where} holds half of a surrogate pair, which is no character") from None
    return value


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not NoneType]
    for kind in others[:-1]:
        if type(value) is kind:
            return restored(kind, value, where)
    return restored(others[-1], value, where)


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if type(value) is not list:
        return _refuse(where, value, "a list")
    if kinds[-1] is not Ellipsis:
        if len(value) != len(kinds):
            return _refuse(where, value, f"a list of {len(kinds)}")
        return tuple(restored(kind, one, where) for kind, one in zip(kinds, value, strict=True))
    return tuple(restored(kinds[0], one, where) for one in value)


def _mapping(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if type(value) is not dict:
        return _refuse(where, value, "an object")
    return {restored(kinds[0], name, where): restored(kinds[1], one, where) for name, one in value.items()}


def _object(kind: Any, value: Any, where: str) -> Any:
    if type(value) is not dict:
        return _refuse(where, value, "an object")
    hints = _hints(kind)
    unknown = sorted(value.keys() - hints.keys())
    if unknown:
        raise TraceError(f"{where} has no field {unknown[0][:100]!r}; accepted: {', '.join(hints)}")
    given = {name: restored(hints[name], one, f"{where}.{name}") for name, one in value.items()}
    return kind(**given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _refuse(where: str, value: Any, accepted: str) -> Any:
    said = repr(value[:60]) if isinstance(value, str) else type(value).__name__
    said = str(value) if isinstance(value, bool | float) else said
    raise TraceError(f"{where} is {said}; accepted: {accepted}")
