"""Links of TensorFlow Playground, read as it reads them: the same experiment as a config, with notes.

What such a link says is in its fragment, `activation=tanh&batchSize=10&…`. A setting that is not there has
its default, and what cannot be read is ignored. Each note is about a setting that means something else here,
or nothing.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import limits
from playground.catalogue.datasets.tensorflow_playground import RULES, SEED_LENGTH
from playground.errors import ValidationFailed, fault
from playground.i18n import Text, say
from playground.run.config import Config
from playground.run.validation import parse

HOST = "playground.tensorflow.org"
HIDE = "_hide"
FEATURES = {
    "x": "x1",
    "y": "x2",
    "xSquared": "x1^2",
    "ySquared": "x2^2",
    "xTimesY": "x1*x2",
    "sinX": "sin(x1)",
    "sinY": "sin(x2)",
}
"""In the order in which its network takes them."""
WITHOUT_INPUT = ("cosX", "cosY")
"""It reads them, and has no such inputs."""
CHOICES = {
    "activation": ("tanh", "relu", "sigmoid", "linear"),
    "regularization": ("none", "L1", "L2"),
    "problem": ("classification", "regression"),
    "dataset": ("circle", "xor", "gauss", "spiral"),
    "regDataset": ("reg-plane", "reg-gauss"),
}
"""What it knows, its default first."""
OTHERS = (
    *("batchSize", "learningRate", "regularizationRate", "noise", "networkShape", "seed", "percTrainData"),
    *("showTestData", "discretize", "collectStats", "tutorial", "initZero", "hideText"),
)
KNOWN = frozenset((*CHOICES, *FEATURES, *WITHOUT_INPUT, *OTHERS))
HIDDEN_HERE = {
    "showTestData": ("test_points",),
    "discretize": ("discretise",),
    "playButton": ("play",),
    "stepButton": ("step",),
    "resetButton": ("reset",),
    "learningRate": ("lr",),
    "activation": ("activation",),
    "regularization": ("l1", "l2", "l1_prunes"),
    "regularizationRate": ("l1", "l2", "l1_prunes"),
    "dataset": ("dataset",),
    "percTrainData": ("data.train_fraction",),
    "noise": ("data.noise",),
    "batchSize": ("batch_size",),
    "numHiddenLayers": ("layers",),
}
"""What `?hide=` calls the controls that it can hide."""
NO_SEED = "0.12345"
DEFAULT_SHAPE = "4,2"
DEFAULT_BATCH, DEFAULT_RATE = 10, 0.03
MOST_NOISE, SLIDER_NOISE = 80, 50
"""Its slider ends at the second and gives way up to the first; what is beyond goes back to the second."""
LEAST_TRAINED, MOST_TRAINED = 10, 100
"""Per cent."""
LEAST_RATE, MOST_RATE, MOST_PENALTY = 1e-9, 100, 10
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
"""What JavaScript takes for a finite decimal number."""


@dataclass(frozen=True)
class Imported:
    """An experiment of another page, and how it wants to be looked at."""

    config: Config
    notes: tuple[Text, ...]
    """What of the link means something else here, or nothing."""
    hide: tuple[str, ...]
    """Controls to be hidden, as `?hide=` takes them."""
    show_test: bool
    discretise: bool


def imported(link: str) -> Imported:
    """The experiment of a link, or of its part behind the "#".

    Raises ValidationFailed for what is no such link.
    """
    address, mark, fragment = link.strip().partition("#")
    if not mark and HOST not in address:
        fragment = address
    settings = dict(_pairs(fragment))
    if HOST not in address and not any(key in KNOWN or key.endswith(HIDE) for key in settings):
        raise ValidationFailed(fault("link", say("rule.no_playground_link")))
    return Reader(settings).experiment()


def _pairs(fragment: str) -> Iterator[tuple[str, str]]:
    for pair in fragment.replace("&amp;", "&").split("&"):
        key, _, rest = pair.partition("=")
        if key:
            yield key, rest.partition("=")[0]


@dataclass
class Reader:
    """Reads the settings of one link, by key, and takes notes."""

    settings: Mapping[str, str]
    notes: list[Text] = field(default_factory=list)

    def experiment(self) -> Imported:
        hidden = self._hidden()
        regression = self._choice("problem") == "regression"
        names = self._choice("dataset"), self._choice("regDataset")
        dataset = names[1] if regression else names[0]
        count = RULES[dataset][1]
        seed = self._seed()
        share = self._number("percTrainData", 50, LEAST_TRAINED, MOST_TRAINED) / 100
        raw: dict[str, Any] = {
            "version": 2,
            "data": {
                "kind": "tensorflow_playground",
                "dataset": dataset,
                "noise": self._noise() / 100,
                "seed": seed,
                "train_fraction": share,
            },
            "features": self._features(hidden),
            "hidden": self._layers(),
            "output": {"activation": {"kind": "auto" if regression else "tanh"}},
            "loss": {"kind": "half_mse" if regression else "half_mse_signed"},
            "optimizer": {
                "kind": "sgd",
                "lr": self._number("learningRate", DEFAULT_RATE, LEAST_RATE, MOST_RATE),
            },
            "batch_size": self._batch_size(math.floor(count * share + 1e-9)),
            "shuffle": False,
            "carry_remainder": True,
            **self._penalties(),
            "init": {"kind": "zero"}
            if self._switch("initZero")
            else {"kind": "tensorflow_playground_weights", "dataset": dataset, "seed": seed},
        }
        shown = self._switch("showTestData"), self._switch("discretize")
        hide = self._hide(hidden)
        self._note_what_is_not_here()
        return Imported(parse(raw), tuple(self.notes), hide, *shown)

    def _note(self, note: Text) -> None:
        self.notes.append(note)

    def _text(self, key: str) -> str | None:
        """None for a key that has no value."""
        value = self.settings.get(key, "")
        return value if value.strip() else None

    def _switch(self, key: str, default: bool = False) -> bool:
        """All but `false` is true."""
        value = self._text(key)
        return default if value is None else value != "false"

    def _choice(self, key: str) -> str:
        default, value = CHOICES[key][0], self._text(key)
        if value is None or value in CHOICES[key]:
            return value or default
        self._note(say("import.unknown_value", key=key, value=value, taken=default))
        return default

    def _number(self, key: str, default: float, least: float, most: float) -> float:
        """Between bounds; with a note where that is another than in the link."""
        value = self._text(key)
        if value is None:
            return default
        if not NUMBER.fullmatch(value.strip()):
            self._note(say("import.unknown_value", key=key, value=value, taken=str(default)))
            return default
        taken = max(least, min(most, float(value)))
        if taken != float(value):
            self._note(say("import.out_of_bounds", key=key, value=value, taken=taken))
        return taken

    def _noise(self) -> float:
        noise = self._number("noise", 0, -math.inf, math.inf)
        taken = SLIDER_NOISE if noise > MOST_NOISE else max(0, noise)
        if taken != noise:
            self._note(say("import.as_there", key="noise", value=noise, taken=taken))
        return taken

    def _seed(self) -> str:
        seed = self._text("seed")
        if seed is None:
            self._note(say("import.no_seed", seed=NO_SEED))
            return NO_SEED
        if len(seed) > SEED_LENGTH:
            raise ValidationFailed(fault("link", say("rule.seed_text_length", most=SEED_LENGTH)))
        return seed

    def _features(self, hidden: frozenset[str]) -> list[str]:
        chosen = [key for key in FEATURES if self._switch(key, default=key in ("x", "y"))]
        gone = [key for key in chosen if key in hidden]
        if gone:
            self._note(say("import.hidden_inputs", keys=gone))
        left = [FEATURES[key] for key in chosen if key not in hidden]
        if not left:
            self._note(say("import.no_inputs"))
        return left or ["x1"]

    def _layers(self) -> list[dict[str, Any]]:
        """Of a width with a part behind the point, it has one neuron more than the whole."""
        activation = {"kind": self._choice("activation")}
        text = self.settings.get("networkShape", DEFAULT_SHAPE).replace("%2C", ",").replace("%2c", ",")
        entries = text.split(",") if text.strip() else []
        widths = [math.ceil(float(e)) for e in entries if NUMBER.fullmatch(e.strip()) and float(e) > 0]
        taken = [min(width, limits.WIDTH) for width in widths][: limits.HIDDEN_LAYERS]
        if [str(width) for width in taken] != [entry.strip() for entry in entries]:
            shape = ",".join(map(str, taken)) or "–"
            self._note(say("import.unknown_value", key="networkShape", value=text, taken=shape))
        return [{"width": width, "activation": activation} for width in taken]

    def _batch_size(self, count: int) -> int:
        size = round(self._number("batchSize", DEFAULT_BATCH, 1, limits.POINTS))
        if size > count:
            self._note(say("import.never_learns", size=size, count=count))
        return size

    def _penalties(self) -> dict[str, Any]:
        """Where it has no regularisation, its rate means nothing."""
        kind = self._choice("regularization")
        if kind == "none":
            return {}
        rate = self._number("regularizationRate", 0, 0, MOST_PENALTY)
        return {"l1": rate, "l1_prunes": True} if kind == "L1" else {"l2": rate}

    def _hidden(self) -> frozenset[str]:
        """What is hidden there, by its names."""
        hiding = (key for key, value in self.settings.items() if key.endswith(HIDE) and value == "true")
        return frozenset(key.removesuffix(HIDE) for key in hiding)

    def _hide(self, hidden: frozenset[str]) -> tuple[str, ...]:
        unknown = sorted(hidden - HIDDEN_HERE.keys() - FEATURES.keys() - set(WITHOUT_INPUT))
        if unknown:
            self._note(say("import.not_hidden", keys=[f"{name}{HIDE}" for name in unknown]))
        names = [name for key, there in HIDDEN_HERE.items() if key in hidden for name in there]
        return tuple(dict.fromkeys(names))

    def _note_what_is_not_here(self) -> None:
        waves = [key for key in WITHOUT_INPUT if self._switch(key)]
        if waves:
            self._note(say("import.no_cosine", keys=waves))
        if self._switch("collectStats"):
            self._note(say("import.no_statistics"))
        if tutorial := self._text("tutorial"):
            self._note(say("import.no_tutorial", name=tutorial))
        if self._switch("hideText"):
            self._note(say("import.no_text"))
        unknown = [key for key in self.settings if key not in KNOWN and not key.endswith(HIDE)]
        if unknown:
            self._note(say("import.unknown_keys", keys=unknown))
