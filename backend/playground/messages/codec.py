"""The binary encoding of messages, to browsers and to workers.

A binary message is `NNPG`, a little-endian uint32 with the length of the header, the header as JSON padded
with spaces to a multiple of 8 bytes, then the arrays, each on a multiple of 8 bytes. The header names them:
`"arrays": [{"name", "dtype", "shape", "offset"}]`, offsets counted from the end of the header. A reader
needs no copy, and a new array changes no reader.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import Field
from typing_extensions import TypedDict

MAGIC = b"NNPG"
ALIGNMENT = 8
Dtype = Literal["uint8", "int32", "uint32", "int64", "float32", "float64"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)

NAMES: dict[np.dtype[Any], Dtype] = {np.dtype(name).newbyteorder("<"): name for name in DTYPES}

Arrays = Mapping[str, np.ndarray]


class ArrayHeader(TypedDict):
    """Where an array of a binary message lies, and what it is."""

    name: Annotated[str, Field(description="What it holds, as `weight.0`")]
    dtype: Annotated[Dtype, Field(description="Of its numbers, little-endian")]
    shape: Annotated[tuple[int, ...], Field(description="Sizes, the last one running fastest")]
    offset: Annotated[int, Field(description="Bytes from the end of the header")]


def encode(header: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """One binary message. Raises ValueError for NaN in the header or a dtype that is none of `DTYPES`."""
    parts: list[bytes] = []
    listing: list[ArrayHeader] = []
    offset = 0
    for name, array in (arrays or {}).items():
        dtype = NAMES.get(array.dtype)
        if dtype is None:
            raise ValueError(f"{name}: {array.dtype} is none of {', '.join(DTYPES)}")
        data = array.tobytes()
        listing.append({"name": name, "dtype": dtype, "shape": tuple(array.shape), "offset": offset})
        parts += (data, bytes(-len(data) % ALIGNMENT))
        offset += len(parts[-2]) + len(parts[-1])
    text = json.dumps({**header, "arrays": listing}, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % ALIGNMENT)
    return b"".join((MAGIC, struct.pack("<I", len(text)), text, *parts))


def decode(message: bytes | memoryview) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays; the arrays are read-only views of the message. Raises ValueError if it is none."""
    if message[:4] != MAGIC or len(message) < 8:
        raise ValueError("not a binary message of the playground")
    (length,) = struct.unpack_from("<I", message, 4)
    start = 8 + length
    header = json.loads(bytes(message[8:start]))
    arrays = {}
    for entry in header.pop("arrays"):
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{entry['name']}: unknown dtype {entry['dtype']}")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        flat = np.frombuffer(message, dtype, count, start + entry["offset"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
    return header, arrays


def prefixed(message: bytes) -> bytes:
    """A message as it goes over a socket: its length first."""
    return struct.pack("<I", len(message)) + message


class Assembler:
    """Cuts the bytes of a socket into the messages that they were sent as."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every message that is complete now."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= 4:
            (length,) = struct.unpack_from("<I", self._buffer, start)
            if len(self._buffer) - start < 4 + length:
                break
            yield bytes(self._buffer[start + 4 : start + 4 + length])
            start += 4 + length
        del self._buffer[:start]


def as_array(data: bytes) -> np.ndarray:
    """Bytes as they ride in a message: uint8 (length,)."""
    return np.frombuffer(data, np.uint8)
