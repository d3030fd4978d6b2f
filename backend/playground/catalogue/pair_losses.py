"""Losses that see points beside others: an embedding or a score is learned, of which only distances or the
order count. Every loss is a mean over the mini-batch."""

from dataclasses import replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Task
from playground.catalogue.losses import MARGIN, Loss, Relation


class PairLoss(Loss):
    """`output` (R, blocks · batch, units) and `target` (R, blocks · batch) hold the points of the mini-batch,
    then a block for each of `partners`, in the same order. The loss is (R, batch)."""

    dimensions: ClassVar[int]
    """Units of the output layer."""

    def posed(self, task: Task) -> Task:
        return replace(task, kind="embedding", dimensions=self.dimensions)

    def units(self, task: Task) -> int:
        return self.dimensions

    def answers(self, output: Tensor, trained: Tensor, targets: Tensor, task: Task) -> Tensor:
        """As `predict`, of outputs (n, units), which say something only beside those of the training points,
        `trained` (m, units), with `targets` (m,)."""
        raise NotImplementedError

    def blocks(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The points of the batch, then each of their partners, (R, batch, …) each."""
        return rows.unflatten(1, (1 + len(self.partners), -1)).unbind(1)


class Contrastive(PairLoss):
    """Each point beside one other, of its own class or not by a coin: similar ones are pulled together,
    dissimilar ones are pushed apart until the margin lies between them (Hadsell, Chopra, LeCun, 2006). A
    point counts as right where the mean of its own class is the nearest."""

    kind: Literal["contrastive"] = "contrastive"
    label: ClassVar[str] = "Contrastive"
    effect: ClassVar[str] = "effect.to_contrastive"
    formula: ClassVar[str] = (
        r"L = \frac{1}{n}\sum_i \frac{1}{2} \begin{cases} d_i^2 & \text{similar} \\"
        r" \max(0,\; m - d_i)^2 & \text{dissimilar} \end{cases},\quad d_i = \lVert z_i - z_i' \rVert"
    )
    tasks: ClassVar[tuple[str, ...]] = ("multiclass", "binary")
    partners: ClassVar[tuple[Relation, ...]] = ("either",)
    dimensions: ClassVar[int] = 2
    margin: float = Field(
        default=1.0, title="Margin m", gt=0, le=100, description="How far apart dissimilar points have to be"
    )

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        (point, partner), (own, other) = self.blocks(output), self.blocks(target)
        distance = torch.linalg.vector_norm(point - partner, dim=-1)
        short = torch.relu(self.margin - distance)
        return torch.where(own == other, distance.square(), short.square()) / 2

    def answers(self, output: Tensor, trained: Tensor, targets: Tensor, task: Task) -> Tensor:
        return nearest_mean(output, trained, targets, task.classes, self.margin)


class Triplet(PairLoss):
    """Each point, the anchor, beside one of its own class and one of another: the other has to be farther
    away, by the margin (Schroff et al., 2015). A point counts as right where the mean of its own class is the
    nearest."""

    kind: Literal["triplet"] = "triplet"
    label: ClassVar[str] = "Triplet"
    effect: ClassVar[str] = "effect.to_triplet"
    formula: ClassVar[str] = (
        r"L = \frac{1}{n}\sum_i \max(0,\; \lVert a_i - p_i \rVert - \lVert a_i - n_i \rVert + \alpha)"
    )
    tasks: ClassVar[tuple[str, ...]] = ("multiclass", "binary")
    partners: ClassVar[tuple[Relation, ...]] = ("same", "other")
    dimensions: ClassVar[int] = 2
    margin: float = Field(
        default=1.0,
        title="Margin α",
        gt=0,
        le=100,
        description="By how much a point of another class has to be farther away than one of the same",
    )

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        own, same, other = self.blocks(target)
        losses = F.triplet_margin_loss(*self.blocks(output), margin=self.margin, reduction="none")
        return losses * ((own == same) & (own != other))  # of a single class there are no triplets

    def answers(self, output: Tensor, trained: Tensor, targets: Tensor, task: Task) -> Tensor:
        return nearest_mean(output, trained, targets, task.classes, self.margin)


class MarginRanking(PairLoss):
    """The network gives a score, and of two points that of the higher class, or of the greater value, has to
    be higher by the margin. Only the order counts: the accuracy is the share of pairs in the right order, and
    the map shows scores above and below the average."""

    kind: Literal["margin_ranking"] = "margin_ranking"
    label: ClassVar[str] = "Margin ranking"
    effect: ClassVar[str] = "effect.to_ranking"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \max(0,\; -y_i (s_i - s_i') + m),\quad y_i \in \{-1, 1\}"
    tasks: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")
    partners: ClassVar[tuple[Relation, ...]] = ("other",)
    dimensions: ClassVar[int] = 1
    margin: float = MARGIN

    @classmethod
    def fits(cls, task: Task) -> bool:
        return super().fits(task) and task.targets == 1  # several numbers have no order

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        (score, partner), (own, other) = self.blocks(output.squeeze(-1)), self.blocks(target)
        order = (own - other).sign()
        losses = F.margin_ranking_loss(score, partner, order, margin=self.margin, reduction="none")
        return losses * (order != 0)  # where all are equal, there is no order

    def answers(self, output: Tensor, trained: Tensor, targets: Tensor, task: Task) -> Tensor:
        return output.squeeze(-1) - trained.mean()


def nearest_mean(output: Tensor, trained: Tensor, targets: Tensor, classes: int, margin: float) -> Tensor:
    """Shares by the distance to the mean of each class (as in prototypical networks: Snell et al., 2017), as
    if each class were a round normal cloud with half the margin as standard deviation."""
    of_class = F.one_hot(targets.long(), classes).to(output.dtype)
    means = of_class.T @ trained / of_class.sum(dim=0)[:, None]  # NaN of a class that has no points
    squared = (output[:, None] - means).square().sum(dim=-1) / margin**2
    shares = (-2 * squared).nan_to_num(nan=-torch.inf, neginf=-torch.inf).softmax(dim=-1)
    return shares[:, 1] if classes == 2 else shares
