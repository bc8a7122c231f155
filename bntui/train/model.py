"""The thread's CNN, read from top to bottom, and its initial weights.

Keras's network rebuilt in torch: the padding comes before BN, so BN sees the zero border and the
border becomes BN(0). `Conv2d(padding=1)` after BN would be a different network.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bntui.core.text import ConfigError
from bntui.measure.norms import make

NamedModules = list[tuple[str, nn.Module | None]]


def build(
    *,
    norm: str = "batch",
    norm_layers: int | None = None,
    depth: int = 0,
    width: float = 1.0,
    ghost_batch: int = 32,
    image: Sequence[int] = (1, 28, 28),
    classes: int = 10,
) -> nn.Sequential:
    """Build the thread's CNN for images (N, *image); the output is logits (N, classes).

    `norm` is one of `config.NORMS`. Of its layers, called `_bn` whichever they are, only the first
    `norm_layers` in the order of the forward pass are there. `depth` adds so many more blocks
    before `flatten`, where images are small. `width` scales the channels of every hidden layer.
    `ghost_batch` is in images; `image` is (channels, height, width).

    Weights are Glorot uniform and biases 0, as in Keras, drawn from torch's own generator: after
    `torch.manual_seed` they are those of a script that makes the thread's layers from top to bottom
    and then initialises them in that order. They depend neither on `norm` nor on `depth`. Raises
    ConfigError for images that two poolings leave nothing of.
    """
    colours, rows, columns = image
    if min(rows, columns) < 4:
        raise ConfigError(
            f"images of {rows}×{columns} pixels are too small: the network halves them twice, "
            "so give at least 4×4."
        )
    c1, c2, hidden = (max(1, round(n * width)) for n in (32, 64, 512))
    flat = c2 * (rows // 4) * (columns // 4)

    def bn(channels: int) -> nn.Module | None:
        return make(norm, channels, ghost_batch)

    def deep(number: int) -> NamedModules:
        return [
            (f"deep{number}_pad", nn.ZeroPad2d(1)),
            (f"deep{number}_bn", bn(c2)),
            (f"deep{number}_conv", nn.Conv2d(c2, c2, 3)),
            (f"deep{number}_relu", nn.ReLU(inplace=True)),
        ]

    stem: NamedModules = [
        ("pad1", nn.ZeroPad2d(1)),
        ("conv1", nn.Conv2d(colours, c1, 3)),
        ("relu1", nn.ReLU(inplace=True)),
        ("pad2", nn.ZeroPad2d(1)),
        ("conv1_bn", bn(c1)),
        ("conv2", nn.Conv2d(c1, c1, 3)),
        ("relu2", nn.ReLU(inplace=True)),
        ("pool1", nn.MaxPool2d(2)),
        ("pad3", nn.ZeroPad2d(1)),
        ("conv2_bn", bn(c1)),
        ("conv3", nn.Conv2d(c1, c2, 3)),
        ("relu3", nn.ReLU(inplace=True)),
        ("pad4", nn.ZeroPad2d(1)),
        ("conv3_bn", bn(c2)),
        ("conv4", nn.Conv2d(c2, c2, 3)),
        ("relu4", nn.ReLU(inplace=True)),
        ("pool2", nn.MaxPool2d(2)),
    ]
    head: NamedModules = [
        ("flatten", nn.Flatten()),
        ("flatten_bn", bn(flat)),
        ("dense1", nn.Linear(flat, hidden)),
        ("relu5", nn.ReLU(inplace=True)),
        ("dense1_bn", bn(hidden)),
        ("dense2", nn.Linear(hidden, classes)),
    ]
    _initialise([*stem, *head])
    # Only then the extra blocks, one by one, so that the others begin alike at every depth.
    extra: NamedModules = []
    for number in range(1, depth + 1):
        block = deep(number)
        _initialise(block)
        extra += block
    layers = [*stem, *extra, *head]
    normed = [name for name, _ in layers if name.endswith("_bn")]
    absent = set(normed) - set(normed[:norm_layers])
    return nn.Sequential(
        OrderedDict((name, layer) for name, layer in layers if layer and name not in absent)
    )


def _initialise(layers: NamedModules) -> None:
    for _, layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def parameter_count(model: nn.Module) -> int:
    """Count parameters as Keras does: the moving statistics included."""
    tensors = [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]
    return sum(tensor.numel() for tensor in tensors)


def activation_bytes(model: nn.Module, images: Tensor) -> int:
    """Return the bytes that one image keeps in memory between forward and backward pass.

    Measured on the few `images` (N, …) in training mode; changes nothing but BN's buffers.
    """
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    model.train()
    own = {tensor.untyped_storage().data_ptr() for tensor in model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(images)
    total = sum(size for pointer, size in kept.items() if pointer not in own)
    del output
    return total // len(images)
