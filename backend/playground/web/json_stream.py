"""Large JSON, written in another thread and sent as it is written."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from fastapi.responses import StreamingResponse

PIECE = 64 * 1024
"""Characters that are sent at a time."""


def stream_json(value: Any) -> StreamingResponse:
    """JSON with arrays in it, written in another thread and sent as it is written."""
    return StreamingResponse(_pieces(value), media_type="application/json")


def _pieces(value: Any) -> Iterator[str]:
    written: list[str] = []
    length = 0
    for text in _json(value):
        written.append(text)
        length += len(text)
        if length >= PIECE:
            yield "".join(written)
            written, length = [], 0
    yield "".join(written)


def _json(value: Any) -> Iterator[str]:
    """Row by row, so that no call of the encoder keeps other threads waiting. Null is what overflowed."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        yield json.dumps(np.where(np.isfinite(value), value, np.array(None)).tolist())
    elif isinstance(value, np.ndarray | list):
        yield "["
        for position, part in enumerate(value):
            yield "," if position else ""
            yield from _json(part)
        yield "]"
    elif isinstance(value, Mapping):
        yield "{"
        for position, (name, part) in enumerate(value.items()):
            yield f"{',' if position else ''}{json.dumps(name)}:"
            yield from _json(part)
        yield "}"
    else:
        yield json.dumps(value)
