// Thumbnails arrive as uint8 (layer, head, query cell, key cell) with w = (u/255)².

/** { width, height, pixels } of one head, ready for a canvas. */
export function thumbnailPixels({ shape, data }, layer, head, palette) {
  const [, heads, height, width] = shape;
  const size = height * width;
  const bytes = data.subarray((layer * heads + head) * size, (layer * heads + head + 1) * size);
  const colours = table(palette, largestByte(bytes));
  const pixels = new Uint8ClampedArray(size * 4);
  for (let i = 0; i < size; i++) pixels.set(colours[bytes[i]], i * 4);
  return { width, height, pixels };
}

function table(palette, top) {
  const largest = (top / 255) ** 2;
  return Array.from({ length: 256 }, (_, u) => [...palette.rgb((u / 255) ** 2, largest), 255]);
}

function largestByte(bytes) {
  let largest = 0;
  for (const byte of bytes) if (byte > largest) largest = byte;
  return largest;
}
