"""The config: everything that reproduces a run. Frozen, validated, JSON."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Field

from playground import limits
from playground.catalogue.activations import Activation, Linear, Tanh
from playground.catalogue.adam import Adam
from playground.catalogue.augmentations import Augmentation, NoAugmentation
from playground.catalogue.class_weights import ClassWeights, EqualClassWeights
from playground.catalogue.component import FROZEN, Component, union_of
from playground.catalogue.datasets import Circle, Data, Dataset
from playground.catalogue.features import AnyFeature
from playground.catalogue.fourier import Fourier
from playground.catalogue.inits import Init, XavierUniform
from playground.catalogue.losses import BCE, Loss
from playground.catalogue.margin_losses import MarginLoss
from playground.catalogue.normalizations import NoNormalization, Normalization
from playground.catalogue.optimizers import Optimizer
from playground.catalogue.pair_losses import PairLoss
from playground.catalogue.schedules import ConstantRate, Schedule
from playground.catalogue.shortcuts import NoShortcut, Shortcut
from playground.catalogue.stopping import NoStopping, Stopping
from playground.catalogue.tables.table import Table

VERSION = 2
"""Of the form of a config; `migrations` says what the earlier ones were."""


class Auto(Component):
    """Fits the loss: raw sums (logits) for the cross-entropies, linear for the others."""

    kind: Literal["auto"] = "auto"
    label: ClassVar[str] = "Auto"
    formula: ClassVar[str] = r"f(z) = z"


if TYPE_CHECKING:
    AnyActivation: TypeAlias = Activation
    AnyAugmentation: TypeAlias = Augmentation
    AnyClassWeights: TypeAlias = ClassWeights
    AnyOutputActivation: TypeAlias = Activation | Auto
    AnyData: TypeAlias = Data
    AnyInit: TypeAlias = Init
    AnyLoss: TypeAlias = Loss | MarginLoss | PairLoss
    AnyNormalization: TypeAlias = Normalization
    AnyOptimizer: TypeAlias = Optimizer
    AnySchedule: TypeAlias = Schedule
    AnyStopping: TypeAlias = Stopping
    AnyShortcut: TypeAlias = Shortcut
    AnyOutputShortcut: TypeAlias = Shortcut
else:
    AnyActivation = union_of(Activation)
    AnyAugmentation = union_of(Augmentation)
    AnyClassWeights = union_of(ClassWeights, name="class_weights")
    AnyOutputActivation = union_of(Activation, Auto, name="output_activation")
    AnyData = union_of(Data)
    AnyInit = union_of(Init)
    AnyLoss = union_of(Loss)
    AnyNormalization = union_of(Normalization)
    AnyOptimizer = union_of(Optimizer)
    AnySchedule = union_of(Schedule)
    AnyStopping = union_of(Stopping)
    AnyShortcut = union_of(Shortcut)
    AnyOutputShortcut = union_of(Shortcut, name="output_shortcut")


def _in_order(places: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each once, so that the same choice is the same config."""
    return tuple(sorted(set(places)))


FrozenLayer = Annotated[
    bool,
    Field(
        title="Frozen",
        description="No weight of this layer is changed by training: no gradient, no decay. The optimizer"
        " forgets nothing of them, and goes on where it was once they are free",
        json_schema_extra={"in_card": True},
    ),
]
FrozenNeurons = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=limits.WIDTH)], ...],
    Field(
        strict=False,
        max_length=limits.WIDTH,
        title="Frozen neurons",
        description="Units of this layer, counted from 0, whose incoming weights, bias, and scale and shift"
        " of a normalisation are frozen",
    ),
    AfterValidator(_in_order),
]
FrozenEdges = Annotated[
    tuple[
        Annotated[tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]], Field(strict=False)], ...
    ],
    Field(
        strict=False,
        max_length=limits.FROZEN_EDGES,
        title="Frozen edges",
        description="Weights that are frozen one by one: [source, unit], the input of the layer and the unit",
    ),
    AfterValidator(_in_order),
]


class Layer(BaseModel):
    """A hidden layer: sums, normalisation, activation, dropout, and what a shortcut adds, in this order."""

    model_config = FROZEN
    width: int = Field(default=4, ge=1, le=limits.WIDTH, title="Neurons", description="Units of the layer")
    activation: AnyActivation = Field(
        default=Tanh(),
        title="Activation",
        description="What each unit makes of its sum",
        json_schema_extra={"first": 2},
    )
    normalization: AnyNormalization = Field(
        default=NoNormalization(),
        title="Normalisation",
        description="What becomes of the sums before that",
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        title="Dropout",
        description="Share of the units that is silenced in each training step",
    )
    shortcut: AnyShortcut = Field(
        default=NoShortcut(),
        title="Shortcut",
        description="A way past the layer, or past those before it",
        json_schema_extra={"in_card": True},
    )
    frozen: FrozenLayer = False
    frozen_neurons: FrozenNeurons = ()
    frozen_edges: FrozenEdges = ()


class Output(BaseModel):
    """The output layer. Its width follows from the data and the loss."""

    model_config = FROZEN
    activation: AnyOutputActivation = Field(default=Auto(), description="What the output makes of its sum")
    shortcut: AnyOutputShortcut = Field(
        default=NoShortcut(), title="Shortcut", description="Whether the output sees more than the last layer"
    )
    frozen: FrozenLayer = False
    frozen_neurons: FrozenNeurons = ()
    frozen_edges: FrozenEdges = ()


class Config(BaseModel):
    """Everything that reproduces a run."""

    model_config = FROZEN
    version: Literal[2] = Field(default=VERSION, title="Version", description="Of the form of the config")
    data: AnyData = Field(default=Circle(), description="What there is to learn from")
    augmentation: AnyAugmentation = Field(
        default=NoAugmentation(),
        title="Augmentation",
        description="Copies of the training points, a little different, that are learned from as well",
    )
    features: tuple[AnyFeature, ...] = Field(
        default=("x1", "x2"),
        strict=False,
        min_length=1,
        max_length=limits.FEATURES,
        description="What the network gets to see of a point: any formulas of its inputs, and random Fourier"
        " features rff1, rff2, …",
    )
    fourier_scale: float = Field(
        default=3.0,
        gt=0,
        le=20,
        title="Fourier scale σ",
        description="How fine the random Fourier features are: the spread of their frequencies, in waves"
        " along a side of the map. Too low, and the network stays blurred; too high, and it learns noise",
        json_schema_extra={"scale": "log"},
    )
    hidden: tuple[Layer, ...] = Field(
        default=(Layer(width=4), Layer(width=2)),
        strict=False,
        max_length=limits.HIDDEN_LAYERS,
        description="Hidden layers from the inputs to the output",
    )
    output: Output = Field(default=Output(), description="The output layer")
    loss: AnyLoss = Field(default=BCE(), description="How wrong an output is")
    class_weights: AnyClassWeights = Field(
        default=EqualClassWeights(),
        title="Class weights",
        description="How much the points of each class count in the loss, where there are classes",
    )
    optimizer: AnyOptimizer = Field(
        default=Adam(), description="How a gradient becomes a step", json_schema_extra={"first": 3}
    )
    schedule: AnySchedule = Field(
        default=ConstantRate(),
        title="Schedule",
        description="How the learning rate changes, counted in steps from the start of the run",
    )
    stopping: AnyStopping = Field(
        default=NoStopping(), title="End of training", description="What ends the training by itself"
    )
    batch_size: int = Field(
        default=10,
        ge=1,
        le=limits.POINTS,
        title="Batch size",
        description="Samples in a mini-batch: few make a step cheap and noisy, many make it slow and steady",
        json_schema_extra={"scale": "log", "first": 4},
    )
    shuffle: bool = Field(
        default=True, title="Shuffle", description="Take the samples of each epoch in a new order"
    )
    carry_remainder: bool = Field(
        default=False,
        title="Carry the remainder over",
        description="Samples at the end of an epoch that fill no mini-batch wait for the first one of the"
        " next epoch, which is so much larger, in place of being a small one of their own",
    )
    input_dropout: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        title="Input dropout",
        description="Share of the features that is silenced in each training step",
    )
    input_noise: float = Field(
        default=0.0,
        ge=0,
        le=3,
        title="Input noise",
        description="In each training step every feature is off by a random number of about this size, so"
        " that the network cannot learn single points by heart; it is tested without",
        json_schema_extra={"formula": r"x' = x + \sigma \epsilon,\quad \epsilon \sim \mathcal{N}(0, 1)"},
    )
    l1: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="L1",
        description="Adds the sum of |w| times this to the loss: weights that are hardly needed become"
        " exactly zero, and stay there until the loss pulls harder",
        json_schema_extra={"scale": "log", "first": 5},
    )
    l1_prunes: bool = Field(
        default=False,
        title="L1 prunes",
        description="A weight that L1 pulls to zero is gone for good, in place of coming back when the loss"
        " pulls harder; the loss alone may still pull it past zero",
    )
    l2: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="L2",
        description="Adds half the sum of w² times this to the loss: keeps weights small",
        json_schema_extra={"scale": "log", "first": 6},
    )
    clip_norm: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        title="Gradient clipping",
        description="Longest gradient that a step may follow, over all weights; empty for no bound",
        json_schema_extra={
            "scale": "log",
            "formula": r"g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right)",
        },
    )
    clip_value: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        title="Clipping by value",
        description="Each number of the gradient is cut to at most this size, before all of it is clipped;"
        " empty for no bound",
        json_schema_extra={"scale": "log", "formula": r"g_i \leftarrow \max(-c, \min(c, g_i))"},
    )
    max_norm: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        title="Max-norm",
        description="After each step the weights into a unit are shortened to this length, all of them"
        " together, if they are longer; empty for no bound. It goes well with dropout and high learning rates"
        " (Srivastava et al., 2014)",
        json_schema_extra={
            "scale": "log",
            "formula": r"w_u \leftarrow w_u \cdot \min\left(1, \frac{c}{\lVert w_u \rVert_2}\right)",
        },
    )
    init: AnyInit = Field(
        default=XavierUniform(), title="Initial weights", description="The weights to start from"
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=limits.SEED,
        title="Seed",
        description="Every random number of the run follows from it: the same seed gives the same run",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=limits.REPLICAS,
        title="Networks at once",
        description="So many networks learn side by side from the same points, each with a seed of its own:"
        " curves are their median in a band from the least to the greatest, the map is their mean, and shows"
        " where they disagree; weights and neurons are those of the first",
    )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of each network, for weights, mini-batches and dropout; the points are those of the first."""
        return tuple(range(self.seed, self.seed + self.replicas))

    def dataset(self, tables: Mapping[str, Table]) -> Dataset:
        """The points to train and to test on. Raises `ValidationFailed`."""
        return self.augmentation.added_to(self.data.split(self.seed, tables), self.seed, self.data.draw)

    @property
    def layers(self) -> tuple[Layer | Output, ...]:
        """From the first hidden layer to the output."""
        return (*self.hidden, self.output)

    @property
    def fourier(self) -> Fourier:
        """What its random Fourier features follow from."""
        return Fourier(self.seed, self.fourier_scale)

    def output_activation(self) -> Activation:
        chosen = self.output.activation
        return Linear() if isinstance(chosen, Auto) else chosen
