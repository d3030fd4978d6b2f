"""The numbers that `Math.random()` gives a page after `Math.seedrandom(text)`, bit for bit.

That is the library seedrandom of David Bau, by its published algorithm: a text becomes a key of ARC4, whose
first 256 bytes are thrown away, and a number takes bytes until it has 52 significant bits. Unlike those of
`randomness`, these numbers depend on how many were drawn before.
"""

from collections.abc import Iterator
from functools import partial

WIDTH = 256
CHUNKS = 6
"""Bytes that a number begins with."""
SIGNIFICANT, OVERFLOW = 2**52, 2**53


class SeedRandom:
    """The stream of one seed."""

    def __init__(self, text: str):
        self._byte = partial(next, _arc4(_key(text)))
        for _ in range(WIDTH):
            self._byte()

    def random(self) -> float:
        """Uniform in [0, 1)."""
        byte, number, scale, last = self._byte, 0, WIDTH**CHUNKS, 0
        for _ in range(CHUNKS):
            number = number * WIDTH + byte()
        while number < SIGNIFICANT:
            number, scale, last = (number + last) * WIDTH, scale * WIDTH, byte()
        while number >= OVERFLOW:
            number, scale, last = number // 2, scale // 2, last >> 1
        return (number + last) / scale

    def uniform(self, low: float, high: float) -> float:
        return self.random() * (high - low) + low


def _arc4(key: list[int]) -> Iterator[int]:
    """The bytes that the cipher adds to a text."""
    state, j = list(range(WIDTH)), 0
    for i in range(WIDTH):
        j = (j + key[i % len(key)] + state[i]) % WIDTH
        state[i], state[j] = state[j], state[i]
    i = j = 0
    while True:
        i = (i + 1) % WIDTH
        one = state[i]
        j = (j + one) % WIDTH
        other = state[i] = state[j]
        state[j] = one
        yield state[(one + other) % WIDTH]


def _key(text: str) -> list[int]:
    """At most 256 bytes of what a browser takes for characters: units of UTF-16."""
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    key: list[int] = []
    smear = 0
    for at, unit in enumerate(units):
        place = at % WIDTH
        if place < len(key):
            smear ^= key[place] * 19
            key[place] = (smear + unit) % WIDTH
        else:
            key.append((smear + unit) % WIDTH)
    return key or [0]
