"""A network and its training as a Keras 3 script, for any of its backends. It trains with what is set now,
from the initial weights of such a run on, and does not repeat the live changes; what Keras cannot do is
refused by name."""

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from playground.catalogue.activations import Activation
from playground.catalogue.component import Component
from playground.catalogue.features import columns
from playground.catalogue.normalizations import NoNormalization
from playground.export.arrays import packed
from playground.export.surgery import weights_of
from playground.export.taken import CannotExport, Taken, Weights
from playground.i18n import say
from playground.run.config import Config
from playground.run.layers import LayerShape

WIDTH = 100
PARAMETER = re.compile(r"\{(\w+)\}")
PARTS = ("callbacks", "constraints", "layers", "losses", "optimizers", "regularizers")
HEAD = '''"""{words}

pip install keras torch numpy; KERAS_BACKEND may be torch, jax or tensorflow.
"""

import base64
import io

import keras
import numpy as np
from keras import {imports}


def unpacked(text):
    """Arrays by name, of text that is a compressed file of numpy."""
    file = np.load(io.BytesIO(base64.b64decode(text)))
    return {{name: file[name] for name in file.files}}


# The features of the points, and what there is to learn.
DATA = unpacked({data})
# The weights that the run began with, layer by layer, as Keras holds them.
START = unpacked({start})

keras.utils.set_random_seed({seed})
x = features = keras.Input(({inputs},), name="features")
{network}
model = keras.Model(features, x)
model.set_weights(list(START.values()))
model.summary()

model.compile({compiled})
model.fit(
    {fit},
)
print("training loss", model.evaluate(DATA["train_x"], DATA["train_y"], verbose=0))
'''


def keras_script(taken: Taken) -> bytes:
    """Raises `CannotExport`."""
    config = taken.config
    _check(config)
    words = (
        f"{type(config.data).label}, {taken.name.partition('-')[2]}: the network of the neural network"
        " playground as it is set now, trained from its initial weights for as many epochs. Mini-batches and"
        " dropout are Keras's own, so its losses come near to those of the run, but are not the same."
    )
    code = {
        "network": "\n".join(_network(config, taken.layers)),
        "compiled": f"optimizer={_optimizer(config)}, loss={written(config.loss)}",
        "fit": ",\n    ".join(_fit(taken)),
    }
    used = [part for part in PARTS if any(f"{part}." in text for text in code.values())]
    text = HEAD.format(
        **code,
        imports=", ".join(used),
        words="\n".join(textwrap.wrap(words, WIDTH)),
        data=packed(_data(taken)),
        start=packed(start_of(config, taken.layers)),
        seed=config.seed % 2**31,
        inputs=taken.layers[0].inputs,
    )
    return text.encode()


def written(component: Component) -> str:
    """A component by its name in Keras. Raises `CannotExport`."""
    named = PARAMETER.findall(component.keras)
    kept = {"kind", "lr", "weight_decay", "decoupled_weight_decay"}
    for name, field in type(component).model_fields.items():
        if name not in kept and name not in named and getattr(component, name) != field.default:
            raise CannotExport(say("export.no_keras", what=component.named()))
    if not component.keras:
        raise CannotExport(say("export.no_keras", what=component.named()))
    return component.keras.format(**{name: repr(getattr(component, name)) for name in named})


def start_of(config: Config, layers: Sequence[LayerShape]) -> dict[str, np.ndarray]:
    """The weights that a run begins with, in the order in which a model of Keras has them."""
    return ordered(layers, weights_of(config, layers))


def ordered(layers: Sequence[LayerShape], weights: Weights) -> dict[str, np.ndarray]:
    found = {}
    for index, (layer, own) in enumerate(zip(layers, weights, strict=True)):
        for name in ("weight", "bias", *layer.normalization.keras_names, *layer.activation.learned):
            found[f"{index}.{name}"] = own[name]
    return found


def _check(config: Config) -> None:
    if config.schedule.kind != "constant_rate" or config.schedule.warmup:
        raise CannotExport(say("export.no_keras", what=config.schedule.named()))
    for name, off in (("replicas", 1), ("l1_prunes", False), ("carry_remainder", False)):
        if getattr(config, name) != off:
            raise CannotExport(say("export.no_keras", what=name))
    for layer in config.layers:
        if layer.frozen_neurons or layer.frozen_edges:
            raise CannotExport(say("export.no_keras", what="frozen"))
    if config.optimizer.weight_decay and not config.optimizer.decoupled_weight_decay:
        raise CannotExport(say("export.no_keras", what="weight_decay"))


def _data(taken: Taken) -> dict[str, np.ndarray]:
    import torch

    dataset, config = taken.dataset, taken.config
    one_hot = dataset.task.kind == "multiclass" and "Sparse" not in config.loss.keras
    found = {}
    for part in ("train", "test"):
        raw = torch.from_numpy(getattr(dataset, f"{part}_inputs"))
        targets = getattr(dataset, f"{part}_targets")
        found[f"{part}_x"] = columns(config.features, raw, config.fourier).numpy()
        found[f"{part}_y"] = np.eye(dataset.task.classes)[targets] if one_hot else targets
    return {name: value if value.ndim > 1 else value[:, None] for name, value in found.items()}


def _network(config: Config, layers: Sequence[LayerShape]) -> list[str]:
    lines, outputs = [], ["features"]
    if config.input_noise:
        lines.append(f"x = layers.GaussianNoise({config.input_noise!r})(x)")
    if config.input_dropout:
        lines.append(f"x = layers.Dropout({config.input_dropout!r})(x)")
    if lines:
        lines.append("inputs = x")
        outputs = ["inputs"]
    options = _options(config)
    for index, (layer, own) in enumerate(zip(layers, config.layers, strict=True)):
        seen = f"layers.Concatenate()([{', '.join(outputs)}])" if layer.shortcut.sees_all and index else "x"
        frozen = ", trainable=False" if own.frozen else ""
        lines.append(f"y = layers.Dense({layer.width}{options}{frozen})({seen})")
        norm = layer.normalization
        if not isinstance(norm, NoNormalization):
            if not norm.keras:
                raise CannotExport(say("export.no_keras", what=norm.named()))
            momentum = ", momentum=0.9" if norm.buffers else ""
            lines.append(f"y = layers.{norm.keras}(epsilon={norm.eps!r}{momentum}{frozen})(y)")
        if layer.activation.kind != "linear":
            lines.append(f"y = {_activation(layer.activation, frozen)}(y)")
        if layer.dropout:
            lines.append(f"y = layers.Dropout({layer.dropout!r})(y)")
        lines.append("x = layers.Add()([x, y])" if layer.shortcut.adds_input else "x = y")
        if any(each.shortcut.sees_all for each in layers[index + 1 :]):
            lines.append(f"h{index + 1} = x")
            outputs.append(f"h{index + 1}")
    return lines


def _options(config: Config) -> str:
    found = ""
    if config.l1 or config.l2:
        found += f", kernel_regularizer=regularizers.L1L2(l1={config.l1!r}, l2={config.l2 / 2!r})"
    if config.max_norm is not None:
        found += f", kernel_constraint=constraints.MaxNorm({config.max_norm!r}, axis=0)"
    return found


def _activation(activation: Activation, frozen: str) -> str:
    if not activation.keras:
        raise CannotExport(say("export.no_keras", what=activation.named()))
    if activation.keras[0].islower():
        return f'layers.Activation("{activation.keras}")'
    fields = [
        f"{theirs}={getattr(activation, ours)!r}"
        for ours, theirs in activation.keras_names.items()
        if ours not in activation.learned
    ]
    shared = ["shared_axes=[1]"] if activation.learned else []
    return f"layers.{activation.keras}({', '.join([*fields, *shared])}{frozen if shared else ''})"


def _optimizer(config: Config) -> str:
    text = written(config.optimizer)
    more = {
        "weight_decay": config.optimizer.weight_decay or None,
        "global_clipnorm": config.clip_norm,
        "clipvalue": config.clip_value,
    }
    given = "".join(f", {name}={value!r}" for name, value in more.items() if value is not None)
    if config.clip_norm is not None and config.clip_value is not None:
        raise CannotExport(say("export.no_keras", what="clip_value"))
    return f"{text[:-1]}{given})"


def _fit(taken: Taken) -> list[str]:
    config, count = taken.config, len(taken.dataset.train_inputs)
    steps = -(-count // min(config.batch_size, count))
    found = [
        'DATA["train_x"]',
        'DATA["train_y"]',
        f"batch_size={min(config.batch_size, count)}",
        f"epochs={max(1, round(taken.step / steps))}",
        f"shuffle={config.shuffle}",
        "verbose=2",
    ]
    if len(taken.dataset.test_inputs):
        found.append('validation_data=(DATA["test_x"], DATA["test_y"])')
        if config.stopping.tests:
            rule: Any = config.stopping
            found.append(
                f"callbacks=[callbacks.EarlyStopping(patience={rule.patience}, min_delta={rule.min_delta!r},"
                " restore_best_weights=True)]"
            )
    classes = taken.dataset.task.classes
    if classes:
        counts = np.bincount(taken.dataset.train_targets.astype(np.int64), minlength=classes)
        weights = config.class_weights.of(counts)
        if weights is not None:
            found.append(f"class_weight={dict(enumerate(float(weight) for weight in weights))}")
    return found
