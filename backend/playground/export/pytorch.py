"""A run as a PyTorch script that stands alone: data, network, training, and its live changes."""

import textwrap
from dataclasses import dataclass, field

import numpy as np

from playground import randomness
from playground.catalogue.datasets import Dataset
from playground.export import training
from playground.export.arrays import UNPACKED
from playground.export.changes import Changes, forms_of
from playground.export.features import features_function
from playground.export.names import named
from playground.export.network import DROPOUT, LONE_BATCHNORM, network_class
from playground.export.numbers import Numbers
from playground.export.surgery import check
from playground.export.taken import Taken
from playground.export.transplant import Source
from playground.run.config import Config
from playground.run.layers import LayerShape, layers_of

WIDTH = 100
REPORT = """
def report():
    train_loss, test_loss = evaluate()
    print(f"step {step}: training loss {train_loss:.6g}, test loss {test_loss:.6g}")
"""


@dataclass(frozen=True)
class Section:
    """A part of a script: a cell of a notebook."""

    title: str
    words: str
    code: str


@dataclass
class Stage:
    """How things are between two changes."""

    config: Config
    dataset: Dataset
    layers: tuple[LayerShape, ...]
    network: str = ""
    """The class of the network."""
    data: str = ""
    features: str = ""


@dataclass
class Script:
    """What a script is made of, while it is written."""

    taken: Taken
    source: Source = field(default_factory=Source)
    numbers: Numbers = field(default_factory=Numbers)
    classes: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        run = self.taken.run
        configs = [run.config, *(line.after for line in self.taken.transitions)]
        for config in configs:
            check(config)
        self.stages = [self._stage(config) for config in configs]
        self.configs = configs
        self.lone = any(_has_lone_batch(stage) for stage in self.stages)
        self.source.imports |= {"import numpy as np", "import torch", "from torch import nn", "import base64"}
        self.source.imports.add("import io")
        for stage in self.stages:
            stage.network = self._network(stage)
            stage.data = self.numbers.add("DATA", _arrays(stage.dataset))
            stage.features = self._features(stage)

    def _stage(self, config: Config) -> Stage:
        dataset = config.dataset(self.taken.tables)
        return Stage(config, dataset, layers_of(config, dataset.task))

    def _network(self, stage: Stage) -> str:
        """The name of its class; one of the same form, but for rates of dropout, is the same class."""
        form = forms_of(stage.layers)
        alike = [other for other in self.stages if forms_of(other.layers) == form]
        rates_of = ([c.config.input_dropout, *(layer.dropout for layer in c.layers)] for c in alike)
        places = zip(*rates_of, strict=True)
        dropouts = [next((rate for rate in rates if rate), None) for rates in places]

        def written(name: str) -> str:
            return network_class(name, stage.layers, dropouts, self.source, self.lone)

        return named(self.classes, "Network", written)

    def _features(self, stage: Stage) -> str:
        inputs = stage.dataset.task.inputs
        return named(
            self.functions,
            "features",
            lambda name: features_function(name, stage.config, inputs, self.source),
        )

    def sections(self) -> list[Section]:
        """From the imports to the run."""
        changes = Changes(self)
        start, told = changes.beginning(), changes.told()
        loss, rule = changes.loss_name, changes.rule_name
        configs, source = self.configs, self.source
        batches = training.batches(configs, source)
        evaluation = training.evaluation(configs, loss)
        update = training.update(configs, rule)
        plateaus, stops = training.watches(configs)
        watching = (training.PLATEAU if plateaus else "") + (training.STOPPING if stops else "")
        if stops:
            source.imports |= {"import copy", "import math"}
        loop = training.loop(configs, changes.rate(), self.lone)
        memory = changes.new_memory()
        drawing = training.partners(source) if any(config.loss.partners for config in configs) else ""
        network = self._network_text()
        reshaping = "\n".join(sorted(changes.used))
        use = changes.use()
        parts = [
            Section("Imports", _about(self.taken), "\n".join(_sorted(source.imports))),
            Section("Data", _about_data(self.stages[0].dataset), f"{UNPACKED}\n\n{self.numbers}"),
            Section("Settings", "What can be set. Change a number, and see what becomes of it.", start),
            Section(
                "Maths",
                "Loss, optimizer and whatever else the run uses, each as a function. Random numbers follow"
                " from the seed, a purpose and the step, so that every run is the same.",
                str(source),
            ),
            Section(
                "Features",
                "What the network gets to see of a point.",
                "\n\n".join(self.functions.values()) + "\n" + use,
            ),
            Section("Network", "Layer by layer, from the inputs to the output.", network),
            Section(
                "Training",
                "A step takes a mini-batch, finds the gradient of its loss, and moves the weights.",
                "\n\n".join(
                    part.strip("\n") + "\n"
                    for part in (
                        drawing,
                        memory,
                        batches,
                        evaluation,
                        REPORT,
                        watching,
                        update,
                        loop,
                        reshaping,
                    )
                    if part.strip()
                ),
            ),
            Section("Run", "From the initial weights on, with the changes that were made on the way.", told),
        ]
        return [part for part in parts if part.code.strip()]

    def _network_text(self) -> str:
        """The classes of the network, and those that they are made of."""
        text = "\n\n" + "\n\n".join(self.classes.values())
        if self.lone and "= BatchNorm1d(" in text:
            text = LONE_BATCHNORM + text
        if "Dropout(" not in text:
            return text
        self.source.function(randomness.uniform)
        return f"{DROPOUT}\n{text}"


def script(taken: Taken) -> bytes:
    """The whole, as a file of Python. Raises `CannotExport`."""
    head, *rest = Script(taken).sections()
    parts = [f'"""{head.words}\n"""\n\n{head.code}\n']
    for section in rest:
        title = f"# {section.title}\n# {'-' * len(section.title)}\n"
        words = textwrap.fill(section.words, WIDTH, initial_indent="# ", subsequent_indent="# ")
        parts.append(f"\n\n{title}{words}\n\n{section.code.strip()}\n")
    return "".join(parts).encode()


def _about(taken: Taken) -> str:
    config, task = taken.config, taken.dataset.task
    data, shape = type(taken.run.config.data).label, taken.name.partition("-")[2]
    words = (
        f"{data}: a {shape} network, as it was trained in the neural network playground up to step"
        f" {taken.step:,}, with the same points, initial weights, mini-batches and changes."
    )
    lines = textwrap.wrap(words, WIDTH)
    what = {"binary": "tell two classes apart", "multiclass": f"tell {task.classes} classes apart"}
    lines += [
        "",
        f"It learns to {what.get(task.kind, 'give a number for each point')}, by {type(config.loss).label}",
    ]
    lines[-1] += f" and {type(config.optimizer).label}."
    return "\n".join([*lines, "", "It needs torch and numpy, nothing else: pip install torch numpy"])


def _about_data(dataset: Dataset) -> str:
    train, test, inputs = len(dataset.train_inputs), len(dataset.test_inputs), dataset.task.input_names
    named = ", ".join(inputs[:6]) + (", …" if len(inputs) > 6 else "")
    return (
        f"{train:,} points to train on and {test:,} to test with; of each {len(inputs)} inputs ({named}),"
        " scaled to -6 to 6, and what there is to learn of it. Compressed, so that this stays one file."
    )


def _arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    return {
        "train_inputs": dataset.train_inputs.astype(np.float32),
        "train_targets": dataset.train_targets.astype(np.float32),
        "test_inputs": dataset.test_inputs.astype(np.float32),
        "test_targets": dataset.test_targets.astype(np.float32),
    }


def _has_lone_batch(stage: Stage) -> bool:
    """Whether a mini-batch may have a single sample."""
    count = len(stage.dataset.train_inputs)
    size = min(stage.config.batch_size, count)
    return size == 1 or (count % size == 1 and not stage.config.carry_remainder)


def _sorted(imports: set[str]) -> list[str]:
    """The standard library first."""
    foreign = [line for line in imports if any(name in line for name in ("torch", "numpy"))]
    plain = sorted(imports - set(foreign), key=lambda line: (line.startswith("from"), line))
    return [*plain, "", *sorted(foreign, key=lambda line: (line.startswith("from"), line))]
