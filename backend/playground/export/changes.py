"""The settings of a run, and what its live changes do to them, as source."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.catalogue.component import Component
from playground.catalogue.schedules import ReduceOnPlateau, Schedule
from playground.export import training
from playground.export.network import name_of, names_in, state_dict
from playground.export.surgery import Reshaping, weights_of
from playground.run import freezing
from playground.run.layers import LayerShape
from playground.run.matching import feature_rows
from playground.run.run import Transition
from playground.run.weights import OneWeight

if TYPE_CHECKING:
    from playground.export.pytorch import Script, Stage

WIDTH = 100
REPORTS = 20
"""Lines that a script prints, about."""
MEASURED_ON = ("loss", "class_weights", "data", "augmentation", "seed", "init")
"""As in `training.schedule`: a loss from before a change of one of these says nothing."""
UNLIMITED = "math.inf"
USE = '''
def use(data, features):
    """Trains and tests on these points from now on."""
    global train_x, train_y, test_x, test_y{names}
    train_x, train_y = features(data["train_inputs"]), data["train_targets"]
    test_x, test_y = features(data["test_inputs"]), data["test_targets"]
{raw}'''
RAW = """    raw_x, features_of = data["train_inputs"], features
"""


def forms_of(layers: Sequence[LayerShape]) -> tuple[Any, ...]:
    """Layers without their rates of dropout."""
    return tuple(layer.__class__(**{**vars(layer), "dropout": 0.0}) for layer in layers)


class Changes:
    """Writes how a run begins, and each of its changes."""

    def __init__(self, script: "Script"):
        self._script = script
        self.used: set[str] = set()
        """Texts of functions that changes of the shape need."""
        self._every = max(1, script.taken.step // REPORTS)
        self._losses = [self._named(stage.config.loss, "forward") for stage in script.stages]
        self._rules = [self._named(stage.config.optimizer, "update") for stage in script.stages]
        self._schedules = [self._schedule(stage.config.schedule) for stage in script.stages]
        self.loss_name = self._losses[0] if not training.several(self._losses) else "loss_function"
        self.rule_name = self._rules[0] if not training.several(self._rules) else "optimizer"
        self._settings = [self._settings_of(stage) for stage in script.stages]

    def _named(self, component: Component, method: str) -> str:
        return self._script.source.method(component, method, component.kind, component.help())

    def _schedule(self, schedule: Schedule) -> str:
        if schedule.kind in ("constant_rate", "reduce_on_plateau") and not schedule.warmup:
            return ""
        return self._named(schedule, "factors")

    # --- Settings -----------------------------------------------------------------------------------------

    def _settings_of(self, stage: "Stage") -> dict[str, str]:
        """Names and values, as Python writes them; only those that the run uses at any time."""
        config, configs = stage.config, self._script.configs
        index = self._script.stages.index(stage)
        found = {"seed": repr(config.seed), "lr": repr(config.optimizer.lr)}
        found["batch_size"] = repr(config.batch_size)
        numbers = ("input_noise", "l1", "l2")
        found |= {name: repr(getattr(config, name)) for name in numbers if training.some(configs, name)}
        for name in ("clip_value", "clip_norm", "max_norm"):
            if training.some(configs, name):
                value = getattr(config, name)
                found[name] = UNLIMITED if value is None else repr(value)
        for name in ("shuffle", "carry_remainder", "l1_prunes"):
            used = name != "l1_prunes" or training.is_pruning(configs)
            if used and training.several([getattr(each, name) for each in configs]):
                found[name] = repr(getattr(config, name))
        if any(each.optimizer.weight_decay for each in configs):
            found["weight_decay"] = repr(config.optimizer.weight_decay)
            ways = [c.optimizer.decoupled_weight_decay for c in configs if c.optimizer.weight_decay]
            if training.several(ways):
                found["decoupled"] = repr(config.optimizer.decoupled_weight_decay)
        found |= self._functions_of(index)
        plateaus, stops = training.watches(configs)
        if plateaus:
            found["plateau"] = _options(config.schedule, ("interval", "factor", "patience", "threshold"))
        if stops:
            found["stopping"] = _options(config.stopping, ("patience", "min_delta"))
        return found

    def _functions_of(self, index: int) -> dict[str, str]:
        found = {}
        if self.loss_name == "loss_function":
            found["loss_function"] = self._losses[index]
        if self.rule_name == "optimizer":
            found["optimizer"] = self._rules[index]
        if training.several(self._schedules):
            found["schedule"] = self._schedules[index] or "lambda step: 1"
        return found

    def rate(self) -> str:
        """The learning rate of a step, as an expression."""
        factors = ["lr"]
        if any(isinstance(config.schedule, ReduceOnPlateau) for config in self._script.configs):
            factors.append("factor")
        if training.several(self._schedules):
            factors.append("schedule(step)")
        elif self._schedules[0]:
            factors.append(f"{self._schedules[0]}(step)")
        return factors[0] if len(factors) == 1 else f"float({' * '.join(factors)})"

    def new_memory(self) -> str:
        prunes = training.is_pruning(self._script.configs)
        words = ", and whether L1 took it away" if prunes else ""
        return training.NEW_MEMORY.format(pruned=words, extra=2 if prunes else 1)

    def use(self) -> str:
        raw = any("raw_x" in text for text in self.used)
        return USE.format(names=", raw_x, features_of" if raw else "", raw=RAW if raw else "")

    # --- The run ------------------------------------------------------------------------------------------

    def beginning(self) -> str:
        """The settings that the run starts with."""
        if any(UNLIMITED in value for settings in self._settings for value in settings.values()):
            self._script.source.imports.add("import math")
        settings = {
            n: v for n, v in self._settings[0].items() if n not in ("loss_function", "optimizer", "schedule")
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        return "\n".join([*lines, f"report_every = {self._every}  # steps"])

    def told(self) -> str:
        """The run from its first step to its last."""
        first, taken = self._script.stages[0], self._script.taken
        start = self._script.numbers.add(
            "START", state_dict(first.layers, weights_of(first.config, first.layers))
        )
        functions = self._functions_of(0)
        lines = [
            *(f"{name} = {value}" for name, value in functions.items()),
            f"use({first.data}, {first.features})",
            *self._watches(first),
            f"net = {first.network}()",
            f"net.load_state_dict({start})",
            *self._rates(first),
            f"memory = new_memory(slots={len(first.config.optimizer.slots)})",
            *self._frozen(first),
            "step = epoch = cursor = 0",
            "report()",
        ]
        at = 0
        for line, before, after in zip(
            taken.transitions, self._script.stages, self._script.stages[1:], strict=False
        ):
            if line.entry.step > at:
                lines.append(f"train({line.entry.step})")
                at = line.entry.step
            lines += ["", *_comment(line), *self._change(line, before, after)]
        if taken.step > at or not taken.transitions:
            lines += ["", f"train({taken.step})"]
        lines += [] if taken.step % self._every == 0 and taken.step > at else ["report()"]
        return "\n".join([*lines, ""])

    def _watches(self, stage: "Stage") -> list[str]:
        """What is noted on the way, and what follows from the data."""
        plateaus, stops = training.watches(self._script.configs)
        lines = self._data_facts(stage)
        if plateaus:
            lines.append("factor, least, looks = 1.0, None, 0")
        if stops:
            lines.append("best_loss, waited, best = None, 0, None")
        return lines

    def _data_facts(self, stage: "Stage") -> list[str]:
        configs, lines = self._script.configs, []
        if any(config.class_weights.kind != "equal" for config in configs):
            classes = stage.dataset.task.classes
            counts = (
                np.bincount(stage.dataset.train_targets.astype(np.int64), minlength=classes)
                if classes
                else None
            )
            weights = None if counts is None else stage.config.class_weights.of(counts)
            shown = "None" if weights is None else f"torch.tensor({[float(w) for w in weights]})"
            lines.append(f"class_weights = {shown}")
        if any(config.loss.partners for config in configs):
            relations = stage.config.loss.partners
            made = f"Partners({relations!r}, torch.cat([train_y, test_y]).numpy(), len(train_y))"
            lines.append(f"partners = {made if relations else None}")
        moves = [training.moves_nothing(config) for config in configs]
        if training.several(moves):
            lines.append(f"moves_nothing = {training.moves_nothing(stage.config)}")
        return lines

    def _rates(self, stage: "Stage", before: "Stage | None" = None) -> list[str]:
        """Rates of dropout that are not those of before, or of the class."""
        text, lines = self._script.classes[stage.network], []
        for place, rate in enumerate(_dropouts(stage)):
            had = (
                f"Dropout({place}, {rate!r})" in text if before is None else rate == _dropouts(before)[place]
            )
            if f"self.dropout{place} = " in text and not had:
                lines.append(f"net.dropout{place}.rate = {rate!r}")
        return lines

    def _frozen(self, stage: "Stage") -> list[str]:
        """Which weights are trained."""
        if not training.is_frozen(self._script.configs):
            return []
        lines = [
            "trained = {name: torch.ones_like(p, dtype=torch.bool) for name, p in net.named_parameters()}"
        ]
        for index, (frozen, neurons, edges) in enumerate(freezing.choice(stage.config)):
            layer, names = stage.layers[index], names_in(index, stage.layers)
            if frozen:
                lines += [f'trained["{names[name]}"][:] = False' for name in layer.parameters]
                continue
            units = [name for name in layer.parameters if name not in layer.activation.learned]
            if neurons:
                lines += [f'trained["{names[name]}"][{list(neurons)}] = False' for name in units]
            if edges:
                sources, targets = ([edge[side] for edge in edges] for side in (0, 1))
                lines.append(f'trained["{names["weight"]}"][{targets}, {sources}] = False')
        return lines

    def _change(self, line: Transition, before: "Stage", after: "Stage") -> list[str]:
        script = self._script
        old, new = (self._settings[script.stages.index(stage)] for stage in (before, after))
        lines = [f"{name} = {value}" for name, value in new.items() if old[name] != value]
        if (before.data, before.features) != (after.data, after.features):
            lines.append(f"use({after.data}, {after.features})")
            count, now = len(before.dataset.train_inputs), len(after.dataset.train_inputs)
        else:
            count = now = 1
        facts = self._data_facts(after)
        if facts != self._data_facts(before) or (count, now) != (1, 1):
            lines += facts
        shape = self._shape(before, after)
        lines += shape
        kind, other = before.config.optimizer.kind, after.config.optimizer.kind
        redrawn = (before.config.seed, before.config.init) != (after.config.seed, after.config.init)
        if kind != other and not redrawn:
            lines += self._anew(after)
        pruning = training.is_pruning(script.configs)
        if pruning and before.config.l1_prunes and not after.config.l1_prunes:
            lines += [
                "for tracks in memory.values():",
                "    tracks[-1].zero_()  # what L1 took away may come back",
            ]
        lines += self._forgotten(before, after)
        if count != now:
            script.source.imports.add("import math")
            lines.append(f"cursor = math.ceil(cursor * {now} / {count})  # as far into the epoch as before")
        lines += self._rates(after, None if shape else before)
        if shape or freezing.choice(before.config) != freezing.choice(after.config):
            lines += self._frozen(after)
        return lines + self._edited(line, after)

    def _shape(self, before: "Stage", after: "Stage") -> list[str]:
        a, b = before.config, after.config
        script = self._script
        if (a.seed, a.init) != (b.seed, b.init):
            drawn = script.numbers.add("START", state_dict(after.layers, weights_of(b, after.layers)))
            return [
                f"net = {after.network}()",
                f"net.load_state_dict({drawn})",
                f"memory = new_memory(slots={len(b.optimizer.slots)})",
            ]
        rows = feature_rows(a, before.dataset.task, b, after.dataset.task)
        if before.network == after.network and rows == list(range(len(a.features))):
            return []
        return Reshaping(
            a, b, before.dataset, after.dataset, before.layers, after.layers, after.network,
            script.source, script.numbers, self.used,
        ).lines()  # fmt: skip

    def _anew(self, after: "Stage") -> list[str]:
        """The optimizer starts anew."""
        slots = len(after.config.optimizer.slots)
        if not training.is_pruning(self._script.configs):
            return [f"memory = new_memory(slots={slots})"]
        return [
            "gone = {name: tracks[-1] for name, tracks in memory.items()}",
            f"memory = new_memory(slots={slots})",
            "memory = {name: [*tracks[:-1], gone[name]] for name, tracks in memory.items()}",
        ]

    def _forgotten(self, before: "Stage", after: "Stage") -> list[str]:
        plateaus, stops = training.watches(self._script.configs)
        one, other, lines = before.config, after.config, []
        measured = any(getattr(one, name) != getattr(other, name) for name in MEASURED_ON)
        if plateaus and one.schedule.kind != other.schedule.kind:
            lines.append("factor, least, looks = 1.0, None, 0")
        elif plateaus and measured:
            lines.append("least, looks = None, 0")
        if stops and (
            measured
            or before.layers != after.layers
            or one.stopping.kind != other.stopping.kind
            or one.features != other.features
        ):
            lines.append("best_loss, waited, best = None, 0, None")
        return lines

    def _edited(self, line: Transition, stage: "Stage") -> list[str]:
        """Weights that were set by hand."""
        edit = line.entry.weights
        if edit is None:
            return []
        if isinstance(edit, OneWeight):
            own = name_of(edit.layer, stage.layers)
            place = f"bias[{edit.unit}]" if edit.source is None else f"weight[{edit.unit}, {edit.source}]"
            return [f"net.{own}.{place.replace('[', '.data[', 1)} = {float(edit.value)!r}"]
        arrays = {}
        for index, layer in enumerate(edit.layers):
            names = names_in(index, stage.layers)
            for name, value in layer.items():
                array = np.asarray(value, np.float32)
                arrays[names[name]] = array.T if name == "weight" else array
        return [f"net.load_state_dict({self._script.numbers.add('EDIT', arrays)}, strict=False)"]


def _dropouts(stage: "Stage") -> list[float]:
    """Rates of the inputs, then of each layer."""
    return [stage.config.input_dropout, *(layer.dropout for layer in stage.layers)]


def _options(component: Component, names: Sequence[str]) -> str:
    if not all(name in type(component).model_fields for name in names):
        return "None"
    return f"dict({', '.join(f'{name}={getattr(component, name)!r}' for name in names)})"


def _comment(line: Transition) -> list[str]:
    label = " ".join(part.text for part in line.entry.label) or "A change"
    effect = " ".join(part.text for part in line.entry.effect)
    words = f"Step {line.entry.step}. {label}. {effect}".strip()
    return textwrap.wrap(words, WIDTH, initial_indent="# ", subsequent_indent="# ")
