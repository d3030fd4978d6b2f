"""Arrays in the text of a script."""

import base64
import io
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH = 100

UNPACKED = '''
def unpacked(text):
    """Arrays by name, of text that is a compressed file of numpy, so that this script is one file."""
    file = np.load(io.BytesIO(base64.b64decode(text)))
    return {name: torch.from_numpy(file[name]) for name in file.files}
'''


def packed(arrays: Mapping[str, np.ndarray]) -> str:
    """The text that `unpacked` reads, in lines between quotes."""
    file = io.BytesIO()
    named: dict[str, Any] = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    np.savez_compressed(file, **named)
    text = base64.b64encode(file.getvalue()).decode()
    return '"""\n' + "\n".join(textwrap.wrap(text, WIDTH)) + '\n"""'
