"""Names in a script: one for each text, whoever asks for it."""

from collections.abc import Callable
from itertools import count


def named(texts: dict[str, str], base: str, write: Callable[[str], str]) -> str:
    """The name under which `texts` has what `write` makes of it: `base`, or with a number behind."""
    for number in count(1):
        name = base if number == 1 else f"{base}_{number}"
        text = write(name)
        if texts.setdefault(name, text) == text:
            return name
    raise AssertionError
