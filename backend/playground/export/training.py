"""A step of training as source: mini-batches, the update, what watches the loss. Only what the run uses."""

from collections.abc import Sequence

from playground import randomness
from playground.catalogue.partners import Partners
from playground.catalogue.schedules import ReduceOnPlateau
from playground.export.transplant import Source, class_text
from playground.run import freezing
from playground.run.config import Config

ORDER = '''
@lru_cache(maxsize=2)
def order(seed, epoch, count):
    """In which the training points come in this epoch: it follows from the seed and the epoch alone."""
    return permutation(seed, "shuffle", epoch, count)
'''
NEW_MEMORY = '''
def new_memory(slots):
    """What the optimizer knows of each parameter: its slots, and how often it was updated{pruned}."""
    named = net.named_parameters()
    return {{name: [torch.zeros_like(p) for _ in range(slots + {extra})] for name, p in named}}
'''
PLATEAU = '''
def look_at_plateau():
    """Lowers the learning rate where the training loss has not fallen for a while."""
    global factor, least, looks
    loss, _ = evaluate()
    if least is None or loss < least * (1 - plateau["threshold"]):
        least, looks = loss, 0
    elif looks < plateau["patience"]:
        looks += 1
    else:
        factor, looks = factor * plateau["factor"], 0
'''
STOPPING = '''
def look_at_test_loss():
    """Early stopping: after too many epochs without progress, the best weights are taken back. Whoever
    goes on training after that, as the session did, goes on with new patience."""
    global best_loss, waited, best
    _, loss = evaluate()
    if loss < (math.inf if best_loss is None else best_loss - stopping["min_delta"]):
        best_loss, waited, best = loss, 0, copy.deepcopy(net.state_dict())
    elif best_loss is not None:
        waited += 1
        if waited >= stopping["patience"]:
            net.load_state_dict(best)
            waited = 0
            print(f"step {step}: early stop, back to a test loss of {best_loss:.6g}")
'''


def some(configs: Sequence[Config], name: str) -> bool:
    """Whether a setting is on at any time."""
    return any(getattr(config, name) not in (None, 0, False) for config in configs)


def several(values: Sequence[object]) -> bool:
    return any(value != values[0] for value in values)


def is_pruning(configs: Sequence[Config]) -> bool:
    """Whether L1 takes weights away for good."""
    return some(configs, "l1") and some(configs, "l1_prunes")


def is_frozen(configs: Sequence[Config]) -> bool:
    return any(freezing.is_any_frozen(config) for config in configs)


def watches(configs: Sequence[Config]) -> tuple[bool, bool]:
    """Whether a schedule looks at the training loss, and early stopping at the test loss."""
    return (
        any(isinstance(config.schedule, ReduceOnPlateau) for config in configs),
        any(config.stopping.tests for config in configs),
    )


def batches(configs: Sequence[Config], source: Source) -> str:
    """The text of `next_batch`."""
    shuffles = [config.shuffle for config in configs]
    carries = [config.carry_remainder for config in configs]
    text = ""
    if any(shuffles):
        source.function(randomness.permutation)
        source.imports.add("from functools import lru_cache")
        text += ORDER
    ordered = "order(seed, {epoch}, count)" if all(shuffles) else "torch.arange(count)"
    if several(shuffles):
        ordered = "(order(seed, {epoch}, count) if shuffle else torch.arange(count))"
    lines = [
        "def next_batch():",
        '    """Features and targets of the next mini-batch."""',
        "    global epoch, cursor",
        "    count = len(train_x)",
        "    size = min(batch_size, count)",
    ]
    if any(carries):
        lines.append(f"    carried = count % size{' if carry_remainder else 0' if several(carries) else ''}")
    left = "carried" if any(carries) else "0"
    if several([(config.data, config.augmentation, config.seed, config.batch_size) for config in configs]):
        lines += [
            f"    if count - cursor <= {left}:  # the points have become fewer",
            "        epoch, cursor = epoch + 1, 0",
        ]
    lines.append(f"    points = {ordered.format(epoch='epoch')}[cursor : cursor + size]")
    if any(carries):
        lines += [
            "    if carried and epoch and not cursor:  # what was left over of the epoch before",
            f"        points = torch.cat([{ordered.format(epoch='epoch - 1')}[-carried:], points])",
        ]
    lines += [
        "    cursor += size",
        f"    if count - cursor <= {left}:",
        "        epoch, cursor = epoch + 1, 0",
    ]
    pairs, noise = [bool(config.loss.partners) for config in configs], some(configs, "input_noise")
    if any(pairs):
        inner = [
            "# Behind the points come those that the loss sees them beside.",
            'numbers = uniform(seed, "pairs", step, (len(points), len(partners.relations)))',
            "beside = partners.drawn(points[None], numbers[None])[0]",
            "points = torch.cat([points[None], beside]).flatten()",
        ]
        lines += [] if all(pairs) else ["    if partners:"]
        lines += [("    " if all(pairs) else "        ") + line for line in inner]
    if noise:
        lines += [
            "    x = train_x[points]",
            '    x = x + input_noise * normal(seed, "noise", step, tuple(x.shape)).float()',
            "    return x, train_y[points]",
        ]
        source.function(randomness.normal)
    else:
        lines.append("    return train_x[points], train_y[points]")
    return text + "\n\n" + "\n".join(lines) + "\n" if text else "\n" + "\n".join(lines) + "\n"


def partners(source: Source) -> str:
    """The text of what draws the points that others are seen beside."""
    source.function(randomness.uniform)
    source.imports.add("import numpy as np")
    return class_text(Partners)


def evaluation(configs: Sequence[Config], loss: str) -> str:
    """The text of `losses_of` and `evaluate`."""
    pairs = [bool(config.loss.partners) for config in configs]
    weighted = [config.class_weights.kind != "equal" for config in configs]
    plain, paired = f"{loss}(output, y)", f"{loss}(output[None], y[None])[0]"
    call = f"{paired} if partners else {plain}" if several(pairs) else paired if pairs[0] else plain
    lines = ["def losses_of(output, y):", '    """Of each point."""']
    if any(weighted):
        weighing = "losses * class_weights[y[: len(losses)].long()]"
        kept = "" if all(weighted) else "losses if class_weights is None else "
        lines += [f"    losses = {call}", f"    return {kept}{weighing}"]
    else:
        lines.append(f"    return {call}")
    lines += [
        "",
        "",
        "@torch.no_grad()",
        "def evaluate():",
        '    """The losses of the training and of the test points: nothing is dropped or penalised."""',
        "    net.eval()",
        "    output, y = net(torch.cat([train_x, test_x])), torch.cat([train_y, test_y])",
        "    count = len(train_x)",
    ]
    if any(pairs):
        inner = [
            'numbers = uniform(seed, "lasting pairs", 0, (len(y), len(partners.relations)))',
            "beside = partners.drawn(torch.arange(len(y))[None], numbers[None])[0]",
            "rows = torch.cat([torch.arange(len(y)), beside.flatten()])",
            "output, y = output[rows], y[rows]",
        ]
        indent = "    "
        if not all(pairs):
            lines.append("    if partners:")
            indent = "        "
        lines += [indent + line for line in inner]
    lines += [
        "    losses = losses_of(output, y).double()",
        "    return losses[:count].mean().item(), losses[count:].mean().item()",
        "",
    ]
    return "\n".join(lines)


def update(configs: Sequence[Config], rule: str) -> str:
    """The text of `update`."""
    frozen, prunes = is_frozen(configs), is_pruning(configs)
    l1, l2 = some(configs, "l1"), some(configs, "l2")
    lines = [
        "@torch.no_grad()",
        "def update(lr):",
        '    """One step of the optimizer."""',
        "    grads = {name: p.grad for name, p in net.named_parameters()}",
    ]
    if l1 or l2 or frozen:
        lines.append("    for name, p in net.named_parameters():")
        if l1 or l2:
            pulls = [*(["l2 * p"] if l2 else []), *(["l1 * p.sign()"] if l1 else [])]
            lines.append("        if p.dim() == 2:  # the weights, not the biases")
            lines.append(f"            grads[name] = grads[name] + {' + '.join(pulls)}")
        if frozen:
            lines.append("        grads[name] = grads[name].where(trained[name], 0)")
    if l1:
        lines.append("    whole = dict(grads)")
    lines += _clipped(configs)
    lines += ["    for name, p in net.named_parameters():"]
    lines += [f"        *slots, t{', pruned' if prunes else ''} = memory[name]", *_decayed(configs, rule)]
    if l1 or prunes:
        lines += _with_l1(configs)
    if frozen:
        lines += [
            "        change = change.where(trained[name], 0)",
            "        after = [new.where(trained[name], old) for new, old in zip(after, slots)]",
        ]
    if some(configs, "max_norm"):
        longer = "(norm > max_norm) & trained[name]" if frozen else "norm > max_norm"
        lines += [
            "        if p.dim() == 2:  # what comes into a unit is no longer than this",
            "            norm = (p + change).norm(dim=1, keepdim=True)",
            "            shorter = (p + change) * torch.where(norm > max_norm, max_norm / norm, 1) - p",
            f"            change = torch.where({longer}, shorter, change)",
        ]
    if prunes:
        when = " & l1_prunes" if several([config.l1_prunes for config in configs]) else ""
        lines += [
            "        if p.dim() == 2:",
            f"            pruned = torch.maximum(pruned, ((p + change == 0) & (p != 0){when}).float())",
        ]
    count = "t + trained[name]" if frozen else "t + 1"
    lines += [
        "        p += change",
        f"        memory[name] = [*after, {count}{', pruned' if prunes else ''}]",
        "",
    ]
    return "\n".join(lines)


def _clipped(configs: Sequence[Config]) -> list[str]:
    """The gradient, shortened."""
    lines = []
    if some(configs, "clip_value"):
        lines.append(
            "    grads = {name: grad.clamp(-clip_value, clip_value) for name, grad in grads.items()}"
        )
    if some(configs, "clip_norm"):
        lines += [
            "    length = torch.cat([grad.flatten() for grad in grads.values()]).norm()",
            "    scale = (clip_norm / (length + 1e-6)).clamp(max=1)",
            "    grads = {name: grad * scale for name, grad in grads.items()}",
        ]
    return lines


def _decayed(configs: Sequence[Config], rule: str) -> list[str]:
    """The change of a parameter, with the decay of the weights."""
    decays = [config.optimizer for config in configs if config.optimizer.weight_decay]
    decoupled = [optimizer.decoupled_weight_decay for optimizer in decays]
    lines = ["        grad = grads[name]"]
    mixed = several(decoupled) if decoupled else False
    if decays and (mixed or not decoupled[0]):
        shown = " * (not decoupled)" if mixed else ""
        lines = [f"        grad = grads[name] + weight_decay * p{shown}"]
    lines.append(f"        change, after = {rule}(p, grad, slots, t + 1, lr)")
    if decays and (mixed or decoupled[0]):
        shown = " * decoupled" if mixed else ""
        lines.append(f"        change = change - lr * weight_decay * p{shown}  # apart from the gradient")
    return lines


def _with_l1(configs: Sequence[Config]) -> list[str]:
    """Weights that L1 pulls to zero stop there, or are gone for good."""
    prunes = [config.l1_prunes for config in configs]
    stops = [
        "            # A weight that would pass zero stops there, and stays while the loss pulls no harder.",
        "            passes = (p + change) * p.sign() < 0",
        "            stays = (p == 0) & (whole[name].abs() <= l1)",
        "            change = torch.where(passes | stays, -p, change)",
    ]
    gone = [
        "            # A weight that L1 pulls past zero is gone for good.",
        "            then = p + change",
        "            passes = (then + p.sign() * lr * l1) * then.sign() < 0",
        "            change = torch.where(pruned > 0, 0, torch.where(passes, -p, change))",
    ]
    condition = "p.dim() == 2"
    if all(prunes):
        return [f"        if {condition}:", *gone]
    l1 = " and l1" if several([bool(config.l1) for config in configs]) else ""
    if not any(prunes):
        return [f"        if {condition}{l1}:", *stops]
    return [
        f"        if {condition} and l1_prunes:",
        *gone,
        f"        elif {condition} and l1:",
        *stops,
    ]


def loop(configs: Sequence[Config], rate: str, lone: bool) -> str:
    """The text of `train`."""
    plateaus, stops = watches(configs)
    lines = [
        "def train(until):",
        '    """Trains up to this step."""',
        "    global step",
        "    while step < until:",
        "        x, y = next_batch()",
        "        net.train()",
        "        loss = losses_of(net(x), y).mean()",
        "        net.zero_grad()",
        "        loss.backward()",
        *_idle_biases(configs, lone),
        f"        update(torch.tensor({rate}, dtype=torch.float32))",
        "        step += 1",
    ]
    if plateaus:
        lines += [
            '        if plateau and step % plateau["interval"] == 0:',
            "            look_at_plateau()",
        ]
    if stops:
        lines += ["        if stopping and cursor == 0 and len(test_x):", "            look_at_test_loss()"]
    lines += [
        "        if step % report_every == 0:",
        "            report()",
        "",
    ]
    return "\n".join(lines)


def _idle_biases(configs: Sequence[Config], lone: bool) -> list[str]:
    """Biases that nothing depends on: their gradient is rounding, which some optimizers would blow up."""
    lines = []
    if any(layer.normalization.uses_batch for config in configs for layer in config.hidden):
        guard = " and len(x) > 1" if lone else ""
        lines += [
            "        # Batch norm takes the bias before it away again: its gradient is only rounding.",
            "        for name, part in net.named_modules():",
            f"            if isinstance(part, nn.BatchNorm1d){guard}:",
            '                net.get_submodule(name.replace("norm", "layer")).bias.grad.zero_()',
        ]
    pairs = [moves_nothing(config) for config in configs]
    if any(pairs):
        condition = "        if moves_nothing:\n    " if several(pairs) else ""
        lines.append(
            f"{condition}        net.output.bias.grad.zero_()  # it moves all points alike, and no distance"
        )
    return lines


def moves_nothing(config: Config) -> bool:
    return bool(config.loss.partners) and config.output_activation().kind == "linear"
