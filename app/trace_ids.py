"""Ids of traces that were opened from files: hashes of the bytes, in a namespace of their own.

A trace that was made here has the hash of its request as its id; no request is ever answered with a file's trace.
"""

import hashlib

PREFIX = "file-"


def file_id(data: bytes) -> str:
    """The id of the trace in a file of these bytes."""
    return PREFIX + hashlib.sha256(data).hexdigest()[:40]


def is_file_id(trace_id: str) -> bool:
    """Whether a trace of this id came from a file."""
    return trace_id.startswith(PREFIX)
