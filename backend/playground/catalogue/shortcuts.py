"""Shortcuts: what a layer gets or gives past the one way from layer to layer."""

from typing import ClassVar, Literal

from playground.catalogue.component import Component


class Shortcut(Component):
    """What they are made of is in the trainers; here is which of it."""

    adds_input: ClassVar[bool] = False
    """What comes in is added to what goes out, which therefore is as wide."""
    sees_all: ClassVar[bool] = False
    """What comes in are the network's inputs and the units of all layers before, in this order."""


class NoShortcut(Shortcut):
    """Sees the layer before it, and nothing else."""

    kind: Literal["none"] = "none"
    words: ClassVar[str] = "no_shortcut"
    label: ClassVar[str] = "None"
    effect: ClassVar[str] = "effect.shortcut_off"
    formula: ClassVar[str] = r"y = f(W x + b)"


class Residual(Shortcut):
    """Adds what comes in to what the layer makes of it, so that it only has to learn the difference, and the
    gradient has a way around it. Both must have the same width (He et al., 2016)."""

    kind: Literal["residual"] = "residual"
    label: ClassVar[str] = "Residual"
    effect: ClassVar[str] = "effect.residual_on"
    formula: ClassVar[str] = r"y = x + f(W x + b)"
    adds_input: ClassVar[bool] = True


class Dense(Shortcut):
    """Sees the inputs of the network and all layers before it, not just the last (Fahlman, Lebiere, 1990;
    Huang et al., 2017)."""

    kind: Literal["dense"] = "dense"
    label: ClassVar[str] = "Dense"
    effect: ClassVar[str] = "effect.dense_on"
    formula: ClassVar[str] = r"y_l = f(W\,[x, y_1, \dots, y_{l-1}] + b)"
    sees_all: ClassVar[bool] = True
