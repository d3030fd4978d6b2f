"""Which training points a point is seen beside, for losses of pairs and triplets."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from playground.catalogue.losses import Relation


class Partners:
    """Points of one target, a class or a value, are of a kind. The training points are put in the order of
    their targets, so that those of a kind are neighbours: a partner is one number, and finding it costs
    nothing."""

    def __init__(
        self,
        relations: Sequence[Relation],
        targets: np.ndarray,
        count: int,
        device: torch.device | str = "cpu",
    ):
        """`targets` (n,) are those of the training points, `count` of them, then of the test points."""
        order = np.argsort(targets[:count], kind="stable")
        ranked = targets[:count][order]
        first = np.searchsorted(ranked, targets, "left")
        place = np.full(len(targets), -1)
        place[order] = np.arange(count) - first[order]
        size = np.searchsorted(ranked, targets, "right") - first
        self.relations = tuple(relations)
        self.count = count
        self.order, self.first, self.size, self.place = (
            torch.from_numpy(numbers).to(device) for numbers in (order, first, size, place)
        )
        """`order` (count,); of each point (n,) where its kind begins in it, how many are of it, and its own
        place among them, -1 for a test point."""

    def drawn(self, points: Tensor, numbers: Tensor) -> Tensor:
        """The partners (R, partners, batch) of these points (R, batch), as training points, by uniform
        numbers (R, batch, partners). No point is its own partner, unless there is no other of its kind. Where
        the kind that is asked for has no points, any will do."""
        chosen = []
        for relation, u in zip(self.relations, numbers.unbind(-1), strict=True):
            if relation == "either":
                same = u < 0.5
                chosen.append(torch.where(same, self._same(points, 2 * u), self._other(points, 2 * u - 1)))
            else:
                chosen.append(self._same(points, u) if relation == "same" else self._other(points, u))
        return torch.stack(chosen, dim=1)

    def _same(self, points: Tensor, u: Tensor) -> Tensor:
        size, next_place = self.size[points], self.place[points] + 1
        others = size - (next_place > 0).long()
        within = (next_place + (u * others).long()) % size.clamp(min=1)
        return self._at(torch.where(size > 0, self.first[points] + within, (u * self.count).long()))

    def _other(self, points: Tensor, u: Tensor) -> Tensor:
        first, size = self.first[points], self.size[points]
        others = self.count - size
        place = (u * torch.where(others > 0, others, self.count)).long()
        return self._at(torch.where((place < first) | (others == 0), place, place + size))

    def _at(self, place: Tensor) -> Tensor:
        return self.order[place.clamp(0, self.count - 1)]
