"""An uploaded image as a table: a row a pixel, in the order of reading."""

import base64
import hashlib
import io

import numpy as np
from PIL import Image, ImageOps

from playground import limits
from playground.catalogue.pictures.pixels import columns_of
from playground.catalogue.pictures.resizing import fitted
from playground.catalogue.tables.table import Table, short
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
OTHERS = (b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
"""How GIF and TIFF begin."""
BRANDS = ((b"RIFF", b"WEBP"), (b"ftyp", b"heic"), (b"ftyp", b"heix"), (b"ftyp", b"mif1"), (b"ftyp", b"avif"))
"""What stands before and at byte 8 of WebP, HEIC and AVIF."""
LEAST_SIDE = 4
WHITE = (255, 255, 255, 255)


def is_image(data: bytes) -> bool:
    """By what it begins with, whatever its name says. Not all that are images can be read."""
    marked = any(mark in data[:8] and data[8:12] == brand for mark, brand in BRANDS)
    return marked or data.startswith((PNG, JPEG, *OTHERS))


def read_image(data: bytes, filename: str) -> Table:
    """Columns x, y (upwards), red, green and blue (0 to 255) of a PNG or JPEG, scaled to fit `IMAGE_SIDE`.

    Same bytes, same id. What is transparent is white. Raises ValidationFailed with the rule for `file`.
    """
    file = short(filename)
    if not data.startswith((PNG, JPEG)):
        raise _refusal(say("image.format", file=file))
    if len(data) > limits.IMAGE_BYTES:
        raise _refusal(say("image.too_large", file=file, bytes=len(data), limit=limits.IMAGE_BYTES // 2**20))
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            pixels = _small(image, file)
    except ValidationFailed:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refusal(_too_many(file)) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError):
        raise _refusal(say("image.unreadable", file=file)) from None
    name = hashlib.sha256(b"image" + data).hexdigest()[:16]
    height, width, _ = pixels.shape
    return Table(name, columns_of(pixels), width * height, file, picture=(width, height))


def address(pixels: np.ndarray) -> str:
    """Pixels (height, width, 3) from 0 to 1 as a PNG in the address of an image."""
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * pixels).astype(np.uint8)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _small(image: Image.Image, file: str) -> np.ndarray:
    """(height, width, 3) uint8, upright, as it was meant to be seen."""
    if image.width * image.height > limits.IMAGE_PIXELS:
        raise _refusal(_too_many(file))
    if min(image.width, image.height) < LEAST_SIDE:
        raise _refusal(say("image.too_small", file=file, side=LEAST_SIDE))
    image.draft("RGB", (4 * limits.IMAGE_SIDE, 4 * limits.IMAGE_SIDE))  # JPEG: no more than is needed
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = Image.fromarray((np.asarray(image, dtype=np.float64) / 257).clip(0, 255).astype(np.uint8))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    over = Image.alpha_composite(Image.new("RGBA", upright.size, WHITE), upright).convert("RGB")
    size = fitted(*over.size, limits.IMAGE_SIDE)
    return np.asarray(over if size == over.size else over.resize(size, Image.Resampling.BOX))


def _too_many(file: str) -> Text:
    return say("image.too_many_pixels", file=file, limit=limits.IMAGE_PIXELS // 10**6)


def _refusal(rule: Text) -> ValidationFailed:
    return ValidationFailed(fault("file", rule))
