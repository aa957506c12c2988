"""Reading a binary file from its beginning, never past its end."""

import struct
from typing import Any

from attention_core.errors import CheckpointError


class Cursor:
    """A place in the bytes of a file, little-endian; a CheckpointError where the file ends too early."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = memoryview(data)
        self.name = name
        self.at = 0

    def fault(self, complaint: str) -> CheckpointError:
        """The error that says what is wrong with this file."""
        return CheckpointError(f"{self.name} {complaint}")

    def bytes(self, count: int) -> memoryview:
        """The next bytes."""
        found = self.slice(self.at, count)
        self.at += count
        return found

    def slice(self, start: int, count: int) -> memoryview:
        """Bytes anywhere in the file."""
        if min(start, count) < 0 or start + count > len(self.data):
            raise self.fault("is damaged: it ends before what it announces")
        return self.data[start : start + count]

    def numbers(self, format_: str) -> tuple[Any, ...]:
        """The next numbers, as `struct` spells their format."""
        shape = struct.Struct(f"<{format_}")
        return shape.unpack(self.bytes(shape.size))

    def number(self, format_: str) -> Any:
        """The next number."""
        return self.numbers(format_)[0]

    def count(self, format_: str, least: int = 1) -> int:
        """The next number as a count of things of at least so many bytes, which the file has room for."""
        found = int(self.number(format_))
        if not 0 <= found * least <= len(self.data) - self.at:
            raise self.fault(f"is damaged: it announces {found} things and has no room for them")
        return found

    def text(self, size: str) -> str:
        """The next text, whose length in bytes comes first."""
        return self.decoded(self.bytes(self.count(size)))

    def decoded(self, data: memoryview) -> str:
        """The bytes as text."""
        try:
            return bytes(data).decode()
        except UnicodeDecodeError as error:
            raise self.fault("is damaged: a text in it is no UTF-8") from error
