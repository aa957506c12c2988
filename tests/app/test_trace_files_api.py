"""A trace leaves the server as a file and comes in as one: the same picture, another name, no badge."""

import json
import struct

import pytest
from test_problems import problem

from app.packing import MOST_BYTES, MOST_PACKED, PLAIN, packed, unpacked
from app.problems import ProblemError
from attention_core import storage
from attention_core.models.catalogue import Catalogue

FILES, TRACES = "/api/v1/trace-files", "/api/v1/traces"


@pytest.fixture(scope="module")
def made(small) -> tuple[dict, bytes]:
    """A trace of the random decoder, and its file."""
    body = small.post(TRACES, json={"model": "writes", "text": "the cat sat"}).json()
    return body, small.get(f"{TRACES}/{body['id']}/file").content


def spelled(header: object, tensors: bytes = b"") -> bytes:
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + tensors


def test_a_trace_comes_back_from_its_file_with_a_name_of_its_own_and_without_trust(small, made):
    before, data = made
    reply = small.post(FILES, content=data)
    after = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"{TRACES}/{after['id']}"
    assert after["id"].startswith("file-")
    assert (before["checked"], after["checked"]) == (True, False)
    other = {"id", "checked"}
    assert {k: v for k, v in after.items() if k not in other} == {k: v for k, v in before.items() if k not in other}
    query = "layer=0&head=1"
    weights = [small.get(f"{TRACES}/{one['id']}/weights?{query}").content for one in (before, after)]
    assert weights[0] == weights[1]
    again = small.post(FILES, content=data)
    assert (again.status_code, again.json()) == (200, after)
    assert small.get(f"{TRACES}/{after['id']}/file").content == data


def test_a_request_is_never_answered_with_a_file(small, made):
    before, data = made
    document = storage.from_bytes(data)
    assert small.post(FILES, content=data).status_code in (200, 201)
    asked = small.post(TRACES, json={"model": "writes", "text": document.source.text}).json()
    assert (asked["id"], asked["checked"]) == (before["id"], True)


def test_the_file_is_named_in_plain_letters_tagged_and_not_packed(small, made):
    body, data = made
    reply = small.get(f"{TRACES}/{body['id']}/file", headers={"Accept-Encoding": "gzip"})
    name = f"attention-atlas-writes-{body['id'][-8:]}.safetensors"
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (reply.headers["content-length"], reply.headers["cache-control"]) == (str(len(data)), "no-cache")
    known = small.get(f"{TRACES}/{body['id']}/file", headers={"If-None-Match": reply.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"\xff" * 64, spelled([]), spelled({}), spelled({"__metadata__": {}}),
        spelled({"__metadata__": {"trace": "{}"}}), spelled({"__metadata__": {"trace": "[" * 50_000}}),
        spelled({"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}}, bytes(4)),
    ],
)  # fmt: skip
def test_what_is_no_trace_file_is_a_problem_and_leaves_nothing(small, data):
    problem(small.post(FILES, content=data), 422, "trace-file")


def test_a_title_that_is_no_character_never_reaches_a_reply(small, made):
    _, data = made
    raw = data.replace(b'\\"full_title\\": \\"', b'\\"full_title\\": \\"\\\\ud800', 1)
    length = int.from_bytes(data[:8], "little") + len(raw) - len(data)
    reply = small.post(FILES, content=struct.pack("<Q", length) + raw[8:])
    problem(reply, 422, "trace-file")
    assert "half of a surrogate pair" in reply.json()["detail"]


def test_a_file_is_taken_up_to_a_size_and_as_far_as_memory_goes(serve, random_catalogue: Catalogue, tmp_path, made):
    _, data = made
    with serve(catalogue=random_catalogue, cache=tmp_path, max_trace_file_bytes=len(data) - 1) as strict:
        assert problem(strict.post(FILES, content=data), 413, "trace-file-too-large") == {"limit": len(data) - 1}

        def chunks():
            yield data[:100]
            yield data[100:]

        problem(strict.post(FILES, content=chunks()), 413, "trace-file-too-large")
    with serve(catalogue=random_catalogue, cache=tmp_path, memory_bytes=len(data)) as narrow:
        problem(narrow.post(FILES, content=data), 507, "out-of-memory")


def test_strangers_open_no_files_unless_a_setting_lets_them(serve, random_catalogue: Catalogue, tmp_path, made):
    _, data = made
    given = {"catalogue": random_catalogue, "cache": tmp_path, "mode": "public"}
    with serve(**given) as public:
        assert problem(public.post(FILES, content=data), 403, "not-allowed") == {"reason": "trace-files"}
    with serve(**given, trace_files=True) as allowed:
        assert allowed.post(FILES, content=data).status_code == 201


def test_a_file_that_was_let_go_says_so(serve, random_catalogue: Catalogue, tmp_path, made):
    _, data = made
    with serve(catalogue=random_catalogue, cache=tmp_path, trace_cache_bytes=0) as forgetful:
        opened = forgetful.post(FILES, content=data).json()
        assert forgetful.get(f"{TRACES}/{opened['id']}").status_code == 200
        assert forgetful.post(TRACES, json={"model": "writes", "text": "a dog"}).status_code == 201
        gone = problem(forgetful.get(f"{TRACES}/{opened['id']}"), 404, "trace-not-held")
        assert gone == {"trace": opened["id"], "reason": "file"}


# ---- packed addresses


LONG = "text=" + "%EB%82%98+cat+" * 400 + "&layer=3"


def test_long_addresses_come_back_and_short_ones_stay():
    assert packed("?text=a") == "text=a"
    small = packed(LONG)
    assert small is not None
    assert len(LONG) > PLAIN > len(small)
    assert unpacked(small) == LONG
    assert unpacked(f"?{small}&lang=ko") == f"{LONG}&lang=ko"
    # Node's zlib.deflateRawSync wrote this.
    assert unpacked("z=K0mtKLEtyUjVTk4s0U7MS9EGsXMTS9RyEitTi2yNAA") == "text=the+cat+and+the+mat&layer=2"
    assert unpacked("text=z%3D1&zz=2") == "text=z%3D1&zz=2"


def test_what_packs_to_no_address_is_none():
    import random

    letters = random.Random(3)
    noise = "".join(letters.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(3 * MOST_PACKED))
    assert packed(f"text={noise}") is None
    assert packed(f"text={'a+' * (MOST_BYTES // 2)}") is None  # it packs well, but nobody would unpack it


def deflated(data: bytes) -> str:
    import base64
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return "z=" + base64.urlsafe_b64encode(packer.compress(data) + packer.flush()).decode().rstrip("=")


@pytest.mark.parametrize(
    "query",
    [
        "z=", "z=%2B", "z=!!!!", "z=A", "z=AAAA", "z=Zm9v", "text=a&z=Zm9v", "z=Zm9v&z=Zm9v", "z=" + "A" * MOST_PACKED,
        packed(LONG)[:-9], packed(LONG) + "AAAA", deflated(b"text=\xff"), deflated(packed(LONG).encode()),
        deflated(b"a" * (MOST_BYTES + 1)), deflated(bytes(4_000_000)), deflated(b"&a=1" * 9999), deflated(b"&" * 9999),
    ],
)  # fmt: skip
def test_a_packed_address_that_is_none_is_refused(query):
    with pytest.raises(ProblemError) as caught:
        unpacked(query)
    assert caught.value.code == "invalid-request"
