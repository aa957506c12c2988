import assert from "node:assert/strict";
import { test } from "node:test";
import { createAddress } from "../../static/js/lib/address.js";
import { isPacked, MOST_PACKED, pack, PLAIN, unpack } from "../../static/js/lib/packing.js";

const LONG = `?${new URLSearchParams({ text: "나는 학교에 갔다. The cat & the mat? ".repeat(120), layer: 3, theme: "dark", lang: "ko" })}`;
const deflated = async (bytes) => {
  const small = await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  return `?z=${Buffer.from(small).toString("base64url")}`;
};
const sorted = (search) => [...new URLSearchParams(search)].sort();

test("a short query string travels as it is, a long one packed, with what the server must see outside", async () => {
  assert.deepEqual([await pack(""), await pack("?text=a+b"), await unpack("?text=a+b")], ["", "?text=a+b", "?text=a+b"]);
  const packed = await pack(LONG);
  assert.ok(LONG.length > PLAIN && packed.length < PLAIN);
  assert.match(packed, /^\?z=[\w-]+&theme=dark&lang=ko$/);
  assert.deepEqual(sorted(await unpack(packed)), sorted(LONG));
  assert.deepEqual([isPacked(packed), isPacked("?text=z%3D"), isPacked("?zz=1")], [true, false, false]);
});

test("what the server packs is read", async () => {
  // Python's zlib.compressobj(9, zlib.DEFLATED, -15) wrote this.
  assert.equal(await unpack("?z=K0mtKLEtyUjVTk4s0U7MS9EGsXMTSwA"), "?text=the+cat+and+the+mat");
  assert.equal(await unpack(await deflated("text=a&layer=2")), "?text=a&layer=2");
});

test("what does not fit into an address is null", async () => {
  let seed = 1;
  const noise = Array.from({ length: 3 * MOST_PACKED }, () => ((seed = (seed * 48271) % 2147483647) % 36).toString(36)).join("");
  assert.equal(await pack(`?text=${noise}`), null);
  assert.equal(await pack(`?text=${"a+".repeat(70_000)}`), null); // it packs well, but nobody would unpack it
});

test("a packed one that is damaged, hostile or packed twice is null", async () => {
  const packed = await pack(LONG);
  const bad = [
    "?z=", "?z=%2B", "?z=AAAA", `?text=a&z=AAAA`, packed.slice(0, 60), `?z=${"A".repeat(MOST_PACKED)}`,
    `${packed}&z=AAAA`, await deflated(new Uint8Array([116, 61, 255])), await deflated("z=AAAA"), await deflated(new Uint8Array(4_000_000)),
    await deflated("&a=1".repeat(9999)),
  ];
  for (const search of bad) assert.equal(await unpack(search), null, search.slice(0, 80));
});

function tab(first = "/") {
  const places = [{ href: first, state: null }];
  const history = {
    get state() { return places.at(-1).state; },
    pushState: (state, _, href) => places.push({ href, state }),
    replaceState: (state, _, href) => (places[places.length - 1] = { href, state }),
  };
  return { places, address: createAddress({ history, here: () => places.at(-1).href, pack, unpack, now: () => 0 }) };
}

test("a long text stands packed in the address, and one that is too long stays with its place in this tab", async () => {
  const { places, address } = tab();
  await address.remember(`/${LONG}`, "text");
  assert.equal(places.length, 2);
  assert.match(places.at(-1).href, /^\/\?z=/);
  assert.equal(await address.read("?z=anything"), LONG);
  address.remember(`/${LONG}`, "text");
  assert.equal(places.length, 2); // it is there already
  const noise = Array.from({ length: 20_000 }, (_, i) => Math.sin(i).toString(36).slice(-1)).join("");
  await address.remember(`/?text=${noise}&layer=3`, "text");
  assert.equal(places.at(-1).href, "/?layer=3");
  assert.equal(await address.read("?layer=3"), `?text=${noise}&layer=3`);
});

test("while a long text is being packed another place may have come: it is left alone", async () => {
  const { places, address } = tab();
  const packing = address.remember(`/${LONG}`, "text");
  address.remember("/?layer=1", "click");
  await packing;
  assert.equal(places.at(-1).href, "/?layer=1");
});
