"""Long addresses: a query string travels as z=, the base64url of its deflate without a header (RFC 1951, RFC 4648).

Other parameters may follow it, as the page's language does, which is wanted before anything is unpacked.
static/js/lib/packing.js writes and reads the same. What a client sends may unpack to more than any memory, so it is
unpacked up to a limit only.
"""

import base64
import binascii
import re
import zlib

from app.problems import ProblemError

PLAIN = 2000  # characters of a query string that travels as it is
MOST_PACKED = 8192  # characters of a query string that travels packed, "z=" counted
MOST_BYTES = 128 * 1024  # of what is unpacked
MOST_PARAMETERS = 256  # in it: few bytes unpack to many thousands, each of which would be read

_PACKED = re.compile(r"z=([A-Za-z0-9_-]+)((?:&.*)?)", re.DOTALL)
_NAME = re.compile(r"(?:^|&)z=")


def packed(query: str, plain: int = PLAIN) -> str | None:
    """The query string as it travels: itself up to `plain` characters, packed up to MOST_PACKED, None beyond."""
    query = query.removeprefix("?")
    if len(query) <= plain:
        return query
    large = query.encode()
    if len(large) > MOST_BYTES:  # however small it packs, nobody unpacks it
        return None
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    small = packer.compress(large) + packer.flush()
    written = "z=" + base64.urlsafe_b64encode(small).decode().rstrip("=")
    return written if len(written) <= MOST_PACKED else None


def unpacked(query: str) -> str:
    """The query string that a packed one stands for, and what follows it; any other as it came. Without a "?".

    An invalid-request problem for a z that is not the first parameter, is no packed query string or a cut one, or is
    larger than MOST_BYTES, of which no more is unpacked, or holds more than MOST_PARAMETERS.
    """
    query = query.removeprefix("?")
    if not _NAME.search(query):
        return query
    whole = _PACKED.fullmatch(query)
    if whole is None or len(query) > MOST_PACKED or _NAME.search(whole[2]):
        raise _refusal(f"comes first and once, in base64url and with at most {MOST_PACKED} characters")
    try:
        small = base64.b64decode(whole[1] + "=" * (-len(whole[1]) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        large = unpacker.decompress(small, MOST_BYTES + 1)
        text = large.decode("utf-8")
    except (binascii.Error, zlib.error, ValueError):
        raise _refusal("is the base64url of a deflated query string") from None
    if len(large) > MOST_BYTES:
        raise _refusal(f"unpacks to at most {MOST_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise _refusal("is whole, with nothing behind it")
    if text.count("&") >= MOST_PARAMETERS:
        raise _refusal(f"holds at most {MOST_PARAMETERS} parameters")
    if _NAME.search(text):
        raise _refusal("is packed once")
    return text + whole[2]


def _refusal(what: str) -> ProblemError:
    line = f"z: {what}"
    return ProblemError("invalid-request", f"z is a packed address, which {what}", errors=[line])
