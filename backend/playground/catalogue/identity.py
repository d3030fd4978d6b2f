"""How an activation passes on what comes in, as nearly as it can: what an added layer starts from."""

from collections.abc import Callable

import torch
from torch import Tensor

SCALE_COST, GAIN_COST, SHIFT_COST = 0.005, 0.015, 0.01
"""Error, as a share of the span, that an inserted layer may have to save a doubling of its weights, of those
behind it, or a shift by one span. Tiny weights in front and huge ones behind would copy the straight middle
of any activation, but could not be trained, and every further layer would double them again."""
REACHES = (4.0, 2.0, 1.0, 0.5, 0.25)
"""Lengths that what comes in may be scaled to."""
MARGIN = 0.05
"""Room below the least value that was seen, as a share of the span, where a ReLU bends just below it."""
CLEAR = 4.0
"""How far above zero the bend of a smooth ReLU has straightened out."""
IDENTITY = (1.0, 0.0, 1.0, 0.0)
"""Scale, shift, gain and offset that leave all as it is."""
EXACT_FIT = 1e-5
"""Error of a unit, as a share of its span, that is none: it wins over all that is cheaper."""


def fit_identity(activation: Callable[..., Tensor], learned: dict[str, Tensor], a: Tensor) -> list[Tensor]:
    """Scale s, shift c, gain and offset with which gain f(s a + c) + offset is as near to a as it can be, for
    each unit, (R, inputs) each, over the range of a (R, n, inputs). `activation` is f, and
    `learned` what it learned, (R, 1, 1) each."""
    low, high = a.amin(dim=1).double(), a.amax(dim=1).double()
    span = torch.where(high - low > 1e-6, high - low, 1)
    ramp = low[..., None] + span[..., None] * torch.linspace(0, 1, 65, dtype=torch.float64, device=a.device)
    exact = {name: value.double() for name, value in learned.items()}
    start = low - MARGIN * span
    best: list[Tensor] = []
    for s in (torch.ones_like(span), *(reach / span for reach in REACHES)):
        for shift in (torch.zeros_like(low), -s * (low + high) / 2, -s * start, CLEAR - s * start):
            f = activation(s[..., None] * ramp + shift[..., None], **exact)
            centred, target = f - f.mean(-1, keepdim=True), ramp - ramp.mean(-1, keepdim=True)
            power = (centred * centred).sum(-1)
            gain = (centred * target).sum(-1) / power.clamp(min=1e-12)
            offset = (ramp - gain[..., None] * f).mean(-1)
            error = (gain[..., None] * f + offset[..., None] - ramp).abs().amax(-1) / span
            doubled = gain.abs().clamp(min=1e-12).log2().abs()
            moved = (s * (low + high) / 2 + shift).abs() / (s * span)
            cost = SCALE_COST * s.log2().abs() + GAIN_COST * doubled + SHIFT_COST * moved
            cost = (cost + torch.where(error < EXACT_FIT, -1e3, error)).nan_to_num(nan=torch.inf)
            found = [s, shift, gain, offset, cost]
            if best:
                better = cost < best[-1] - 1e-9
                found = [torch.where(better, new, old) for new, old in zip(found, best, strict=True)]
            best = found
    fits = torch.stack(best[:-1]).float().isfinite().all(dim=0)  # not where a itself is not finite
    return [torch.where(fits, number, plain).float() for number, plain in zip(best, IDENTITY, strict=False)]
