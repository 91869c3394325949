"""Pictures of text that are small: few colours, so one byte a pixel instead of three.

The browser that took the picture also reads it: there is no library for pictures here.
"""

import base64
import struct
import zlib
from pathlib import Path

from playwright.sync_api import Page

# Colours are rounded to steps until there are few enough for a palette; what is plain stays what it is.
_READ = """async ([png, most]) => {
  const bytes = Uint8Array.from(atob(png), symbol => symbol.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, image.width, image.height).data;
  const times = new Map();
  const colour = place => (data[place] << 16) | (data[place + 1] << 8) | data[place + 2];
  for (let place = 0; place < data.length; place += 4) {
    times.set(colour(place), (times.get(colour(place)) ?? 0) + 1);
  }
  const palette = [...times.keys()].sort((one, other) => times.get(other) - times.get(one)).slice(0, most);
  const far = (one, other) => [16, 8, 0].reduce(
    (sum, shift) => sum + Math.abs(((one >> shift) & 255) - ((other >> shift) & 255)), 0);
  const nearest = new Map();
  for (const one of times.keys()) {
    nearest.set(one, palette.reduce(
      (best, other, index) => far(one, other) < far(one, palette[best]) ? index : best, 0));
  }
  let pixels = "";
  for (let place = 0; place < data.length; place += 4) pixels += String.fromCharCode(nearest.get(colour(place)));
  return [image.width, image.height, palette, btoa(pixels)];
}"""
MOST_COLOURS = 32


def save(png: bytes, file: Path, reader: Page) -> None:
    """Write the picture with its most frequent colours only. `reader` is any page that may run scripts."""
    width, height, palette, encoded = reader.evaluate(_READ, [base64.b64encode(png).decode(), MOST_COLOURS])
    pixels = base64.b64decode(encoded)
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    # https://www.w3.org/TR/png/#11Chunks: header, palette, pixels without a filter, end.
    content = b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", b"".join(colour.to_bytes(3) for colour in palette)),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
