"""One step of gradient descent in plain PyTorch: dropout masks, loss and gradient, update."""

import torch
from torch import Tensor

from playground.catalogue.activations import Linear
from playground.catalogue.optimizers import Rate
from playground.randomness import normal, uniform
from playground.run.config import Config
from playground.training.network import LayerTensors, Network, forward
from playground.training.state import State

Masks = list[Tensor | None]
"""Of the inputs, then of each layer: (R, batch, width); none where nothing is dropped."""


class Model:
    """The network of a state. Its parameters are leaves for autograd that share the state's memory."""

    def __init__(self, network: Network, state: State, trained: Tensor | None = None):
        """`trained` (1, P) says which weights are not frozen; none where all are trained."""
        self.network = network
        self._trained = trained
        self.parameters: LayerTensors = [
            {name: view.detach().requires_grad_() for name, view in layer.items()}
            for layer in network.parameters(state.weights)
        ]
        self.buffers = network.buffers(state.buffers)
        self._state = state
        self._penalized = network.penalized(state.weights)
        leaves = [
            (leaf, layer.normalization.uses_batch and name == "bias")
            for layer, parameters in zip(network.layers, self.parameters, strict=True)
            for name, leaf in parameters.items()
        ]
        self._leaves = [leaf for leaf, _ in leaves]
        self._idle_biases = [index for index, (_, idle) in enumerate(leaves) if idle]
        self._output_bias = len(leaves) - len(self.parameters[-1]) + list(self.parameters[-1]).index("bias")

    def activations(self, x: Tensor, masks: Masks | None = None) -> list[Tensor]:
        """As `forward`, for features x (R or 1, batch, inputs)."""
        x = x.expand(len(self._state.weights), -1, -1)
        return forward(self.network, self.parameters, self.buffers, x, masks)

    def loss_and_grad(
        self, config: Config, class_weights: Tensor | None, x: Tensor, y: Tensor, masks: Masks
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Loss (R, batch), the gradient (R, P) of its mean with L1 and L2, and the activations. The rows of x
        and y behind the batch are the partners that its loss sees it beside.

        The loss is summed over R: the rows stay independent.
        """
        activations = self.activations(x, masks)
        losses = weighted(config.loss.forward(activations[-1], y), y, class_weights)
        pieces = torch.autograd.grad(losses.sum() / losses.shape[1], self._leaves)
        if x.shape[1] > 1:  # the batch's mean takes a bias away again: what autograd finds is rounding
            for bias in self._idle_biases:
                pieces[bias].zero_()
        if config.loss.partners and isinstance(self.network.layers[-1].activation, Linear):
            pieces[self._output_bias].zero_()  # likewise: it moves all points alike, and no distance
        grad = torch.cat([piece.flatten(1) for piece in pieces], dim=1)
        if config.l2:
            grad = grad.addcmul(self._state.weights, self._penalized, value=config.l2)
        if config.l1:
            grad = grad.addcmul(self._state.weights.sign(), self._penalized, value=config.l1)
        if self._trained is not None:
            grad = grad.where(self._trained, 0)
        return losses.detach(), grad, activations

    def update(self, config: Config, grad: Tensor, lr: Rate) -> None:
        """One step of the optimizer, in place, as `next_step` says."""
        state, trained = self._state, self._trained
        delta, slots = self.next_step(config, grad, lr)
        if config.l1_prunes:
            gone = (state.weights + delta == 0) & (state.weights != 0) & (self._penalized > 0)
            state.pruned.copy_(torch.maximum(state.pruned, gone.to(state.pruned)))
        state.updates.add_(1 if trained is None else trained)
        state.weights.add_(delta)
        for slot, latest in zip(state.slots, slots, strict=True):
            slot.copy_(latest)

    def next_step(self, config: Config, grad: Tensor, lr: Rate) -> tuple[Tensor, list[Tensor]]:
        """How the gradient (R, P), clipped by value, then to its longest norm, changes the weights and the
        optimizer's slots; with the decay of the weights, after clipping, as in `torch.optim`, and with their
        greatest norm. What is frozen stays."""
        state, clipped, optimizer = self._state, grad, config.optimizer
        if config.clip_value is not None:
            clipped = clipped.clamp(-config.clip_value, config.clip_value)
        if config.clip_norm is not None:
            norm = clipped.norm(dim=1, keepdim=True)
            clipped = clipped * (config.clip_norm / (norm + 1e-6)).clamp(max=1)
        if optimizer.weight_decay and not optimizer.decoupled_weight_decay:
            clipped = clipped.add(state.weights, alpha=optimizer.weight_decay)
        delta, slots = optimizer.update(state.weights, clipped, tuple(state.slots), state.updates + 1, lr)
        if optimizer.weight_decay and optimizer.decoupled_weight_decay:
            delta = delta - state.weights * (lr * optimizer.weight_decay)
        if config.l1_prunes:
            delta = self._pruned(delta, lr * config.l1)
        elif config.l1:
            delta = self._stopped_at_zero(delta, grad, config.l1)
        if self._trained is not None:
            kept = zip(state.slots, slots, strict=True)
            delta, slots = delta.where(self._trained, 0), [new.where(self._trained, old) for old, new in kept]
        if config.max_norm is not None:
            delta = self._shortened(delta, config.max_norm)
        return delta, list(slots)

    def _shortened(self, delta: Tensor, longest: float) -> Tensor:
        """What comes into a unit is no longer than this (Srivastava et al., 2014, section 5.1)."""
        weights = self._state.weights
        latest, scale = weights + delta, torch.ones_like(weights)
        parts = zip(self.network.parameters(latest), self.network.parameters(scale), strict=True)
        for parameters, factors in parts:
            norm = parameters["weight"].norm(dim=1, keepdim=True)  # of (R, in, out)
            factors["weight"].copy_(torch.where(norm > longest, longest / norm, 1.0))
        shortened = scale < 1 if self._trained is None else (scale < 1) & self._trained
        return torch.where(shortened, latest * scale - weights, delta)

    def _stopped_at_zero(self, delta: Tensor, grad: Tensor, l1: float) -> Tensor:
        """With L1, a weight that would pass zero stops there, and one that is there stays while the loss
        pulls no harder than L1: so weights become exactly zero (Andrew, Gao, 2007)."""
        weights = self._state.weights
        passes = (weights + delta) * weights.sign() < 0
        stays = (weights == 0) & (grad.abs() <= l1)
        return torch.where((passes | stays) & (self._penalized > 0), -weights, delta)

    def _pruned(self, delta: Tensor, pull: Rate) -> Tensor:
        """Where the pull of L1 alone, (R, 1), takes a weight past zero, it is zero from now on, as in
        TensorFlow Playground; what is pruned moves no more."""
        state = self._state
        signs = state.weights.sign() * self._penalized
        after = state.weights + delta
        passes = (after + signs * pull) * after.sign() < 0
        return torch.where(state.pruned > 0, 0, torch.where(passes, -state.weights, delta))


def weighted(losses: Tensor, y: Tensor, class_weights: Tensor | None) -> Tensor:
    """Losses of samples of these classes, (R, batch), by weights (R or 1, classes); y may be longer."""
    if class_weights is None:
        return losses
    classes = y[:, : losses.shape[1]].long().expand_as(losses)
    return losses * class_weights.expand(len(losses), -1).gather(1, classes)


def input_noise(config: Config, seeds: Tensor, steps: Tensor, batch: int) -> Tensor | None:
    """What is added to the features, (steps, R, batch, inputs), for steps (steps, R) or (steps, 1)."""
    if not config.input_noise:
        return None
    drawn = normal(seeds, "noise", steps, (batch, len(config.features)))
    return config.input_noise * drawn.float()


def dropout_masks(network: Network, seeds: Tensor, steps: Tensor, batch: int) -> Masks:
    """Masks (steps, R, batch, width) for steps (steps, R) or (steps, 1): 1 / (1 - rate), or 0 at the rate."""
    widths = [network.layers[0].inputs, *(layer.width for layer in network.layers)]
    masks: Masks = []
    for place, (rate, width) in enumerate(zip(network.dropouts, widths, strict=True)):
        if rate == 0:
            masks.append(None)
            continue
        drawn = uniform(seeds, f"dropout {place}", steps, (batch, width))
        masks.append((drawn >= rate).float() / (1 - rate))
    return masks
