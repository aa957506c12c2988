"""Pictures that visitors send: what is held, what is refused, and that nothing is left of what is refused."""

import io
import json
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from test_problems import problem

from app.images import HeldImage, ImageStore, image_id
from attention_core.models.catalogue import Catalogue

IMAGES, TRACES = "/api/v1/images", "/api/v1/traces"
MARKER = "zanzibarmarker"


def encoded(mode="RGB", size=(30, 20), kind="PNG", **given):
    file = io.BytesIO()
    picture = Image.effect_noise(size, 80).convert(mode) if mode != "I;16" else gradient(size)
    picture.save(file, kind, **given)
    return file.getvalue()


def gradient(size):
    return Image.fromarray(np.linspace(0, 65535, size[0] * size[1]).reshape(size[::-1]).astype(np.uint16))


def animated(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def bomb(width, height):
    """A PNG of few bytes that claims many pixels, all of them there."""
    row = zlib.compressobj(9)
    data = b"".join(row.compress(bytes(width + 1)) for _ in range(height)) + row.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    body = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_held_and_given_back_without_metadata(small, kind):
    exif = Image.Exif()
    exif[0x010E] = MARKER
    data = encoded(kind=kind, exif=exif)
    assert MARKER.encode() in data
    reply = small.post(IMAGES, content=data)
    assert reply.status_code == 201
    body = reply.json()
    assert body == {"id": image_id(data), "width": 30, "height": 20}
    assert reply.headers["location"] == f"{IMAGES}/{body['id']}"
    assert small.post(IMAGES, content=data).status_code == 200
    back = small.get(f"{IMAGES}/{body['id']}")
    assert back.headers["content-type"] == "image/png"
    assert "immutable" in back.headers["cache-control"]
    assert MARKER.encode() not in back.content
    assert Image.open(io.BytesIO(back.content)).size == (30, 20)
    again = small.get(f"{IMAGES}/{body['id']}", headers={"If-None-Match": back.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "data",
    [
        encoded("P"), encoded("L"), encoded("LA"), encoded("1"), encoded("RGBA"), encoded("I;16"),
        encoded("CMYK", kind="JPEG"), encoded("RGBA", kind="WEBP"), animated("PNG"), animated("WEBP"),
    ],
    ids=["palette", "grey", "alpha", "bits", "rgba", "sixteen", "cmyk", "webp-alpha", "apng", "awebp"],
)  # fmt: skip
def test_every_way_to_store_pixels_can_be_looked_at(small, data):
    image = small.post(IMAGES, content=data)
    assert image.status_code in (200, 201), image.text
    reply = small.post(TRACES, json={"model": "sees", "image": image.json()["id"]})
    assert reply.status_code in (200, 201), reply.text
    assert reply.json()["picture"] == {"rows": 3, "columns": 3, "width": 12, "height": 12}


def test_of_an_animation_the_first_frame_is_seen(small):
    held = small.post(IMAGES, content=animated("WEBP")).json()["id"]
    pixels = np.asarray(Image.open(io.BytesIO(small.get(f"{IMAGES}/{held}").content)))
    assert pixels[..., 0].min() > 200
    assert pixels[..., 1:].max() < 60


HOSTILE = {
    "nothing": b"",
    "text": b"no picture at all",
    "page": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "gif": encoded(kind="GIF"),
    "tiff": encoded(kind="TIFF"),
    "bmp": encoded(kind="BMP"),
    "half a png": encoded()[:400],
    "half a jpeg": encoded(kind="JPEG")[:300],
    "half a webp": encoded(kind="WEBP")[:200],
    "a head alone": encoded()[:33],
    "zeros": b"\x89PNG\r\n\x1a\n" + bytes(1000),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_picture(small, data):
    problem(small.post(IMAGES, content=data, headers={"Content-Type": "image/png"}), 422, "picture")


@pytest.mark.parametrize("size", [(7000, 7000), (40_001, 1000)])
def test_a_bomb_is_refused_before_it_goes_off(small, size):
    data = bomb(*size)
    begin = time.perf_counter()
    facts = problem(small.post(IMAGES, content=data), 413, "picture-too-large")
    assert time.perf_counter() - begin < 20  # a fraction of a second on a quiet machine
    assert facts["limit"] == 40_000_000
    problem(small.get(f"{IMAGES}/{image_id(data)}"), 404, "image-not-held")


def test_eight_megabytes_are_taken_and_no_more(small):
    limit = 8 * 1024 * 1024
    facts = problem(small.post(IMAGES, content=bytes(limit + 1)), 413, "picture-too-large")
    assert facts == {"limit": limit}
    chunks = (bytes(65536) for _ in range(130))
    assert problem(small.post(IMAGES, content=chunks), 413, "picture-too-large") == {"limit": limit}
    # Beside the text's own limit, which is smaller.
    assert len(large := encoded(size=(1300, 1000))) > 1024 * 1024
    assert small.post(IMAGES, content=large).json()["width"] == 1024


@pytest.mark.parametrize("name", ["../sample", "sample.png", "/etc/passwd", "..%2F..%2Fetc%2Fpasswd", "%00", "a" * 100])
def test_a_name_is_never_a_path(small, name):
    reply = small.get(f"{IMAGES}/{name}")
    assert reply.json()["type"] in ("/problems/image-not-held", "/problems/not-found")
    problem(small.post(TRACES, json={"model": "sees", "image": name}), 404, "image-not-held")


def test_samples_have_names(small, random_catalogue):
    sample = small.get(f"{IMAGES}/sample")
    assert sample.headers["cache-control"] == "no-cache"
    assert Image.open(io.BytesIO(sample.content)).size == (24, 24)
    named = small.post(TRACES, json={"model": "sees", "image": "sample"}).json()
    # The same bytes by another way are the same example.
    data = random_catalogue.entry("sees").samples["sample"].read_bytes()
    upload = small.post(IMAGES, content=data).json()["id"]
    sent = small.post(TRACES, json={"model": "sees", "image": upload})
    assert sent.status_code == 200
    assert sent.json() == named


def test_a_trace_outlives_its_picture(serve, random_catalogue, tmp_path):
    one, other = encoded(), encoded(size=(31, 20))
    with serve(catalogue=random_catalogue, cache=tmp_path, image_cache_bytes=1) as client:
        body = {"model": "sees", "image": client.post(IMAGES, content=one).json()["id"]}
        trace = client.post(TRACES, json=body).json()
        client.post(IMAGES, content=other)
        problem(client.get(f"{IMAGES}/{body['image']}"), 404, "image-not-held")
        assert client.post(TRACES, json=body).json() == trace
        problem(client.post(TRACES, json={**body, "options": {"off": ["encoder-self.0.0"]}}), 404, "image-not-held")


def test_the_store_is_bounded_in_bytes():
    store = ImageStore(300, Catalogue(()))
    for name in "abcd":
        store.put(HeldImage(name, 1, 1, bytes(100)))
    store.get("b")
    store.put(HeldImage("b", 1, 1, bytes(100)))
    store.put(HeldImage("e", 1, 1, bytes(100)))
    assert [name for name in "abcde" if store.get(name)] == ["b", "d", "e"]
    assert store.nbytes == 300


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
def test_other_sites_send_no_pictures(small, headers):
    problem(small.post(IMAGES, content=encoded(), headers=headers), 403, "foreign-request")


def test_a_picture_takes_no_parameters(small):
    problem(small.post(f"{IMAGES}?name=x", content=encoded()), 422, "unknown-parameter")


def test_a_sender_who_goes_away_is_no_error(small, caplog):
    """The connection breaks in the middle of a picture: nothing is held, nothing is logged as unforeseen."""
    import anyio

    async def scene():
        sent = []

        async def receive():
            if not sent:
                sent.append("body")
                return {"type": "http.request", "body": encoded()[:50], "more_body": True}
            return {"type": "http.disconnect"}

        replies = []
        scope = {
            "type": "http", "method": "POST", "path": IMAGES, "raw_path": IMAGES.encode(), "query_string": b"",
            "headers": [(b"host", b"localhost")], "scheme": "http", "http_version": "1.1", "server": ("localhost", 80),
            "client": ("127.0.0.1", 1), "root_path": "", "app": small.app, "state": {},
        }  # fmt: skip

        async def send(message):
            replies.append(message)

        await small.app(scope, receive, send)
        return replies

    caplog.set_level("INFO")
    replies = anyio.run(scene)
    assert replies[0]["status"] == 499
    assert "unforeseen" not in caplog.text


def test_a_picture_is_the_same_trace_however_it_is_named(small):
    data = encoded(size=(24, 24))
    body = {"model": "sees", "image": small.post(IMAGES, content=data).json()["id"]}
    first = small.post(TRACES, json={**body, "options": {"off": ["encoder-self.1.0", "encoder-self.0.1"]}}).json()
    twice = ["encoder-self.0.1", "encoder-self.1.0", "encoder-self.0.1"]
    again = small.post(TRACES, json={**body, "options": {"off": twice}})
    assert again.status_code == 200
    assert json.dumps(again.json()) == json.dumps(first)
    assert first["off"] == ["encoder-self.0.1", "encoder-self.1.0"]
    assert small.post(TRACES, json=body).json()["id"] != first["id"]
