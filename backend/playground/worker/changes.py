"""A change, as it is made to whatever trains: another config, or weights set by hand."""

from playground.i18n import Text, say
from playground.run.config import Config
from playground.run.meaning import meaning
from playground.run.validation import Tables
from playground.run.weights import AllWeights, OneWeight
from playground.training.loop import TrainingLoop
from playground.training.weights import set_weight, set_weights


def made(
    loop: TrainingLoop, after: Config, edit: OneWeight | AllWeights | None, tables: Tables
) -> list[Text]:
    """Makes it, and says what it did. Raises `ValidationFailed` for weights that do not fit."""
    if edit is None:
        return [*meaning(loop.config, after), *loop.change(after, tables)]
    network, state = loop.experiment.network, loop.state
    if isinstance(edit, AllWeights):
        set_weights(network, state, [dict(layer) for layer in edit.layers])
        return [say("effect.weights_set")]
    set_weight(network, state, edit)
    code = "effect.bias_set" if edit.source is None else "effect.weight_set"
    return [say(code, layer=edit.layer + 1, value=edit.value)]
