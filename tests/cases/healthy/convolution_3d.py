"""Three-dimensional convolutions that tell the direction in which a digit moves."""

import torch
from torch import nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, loader, tensors
from tests.cases.fit import fit

DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def _clips(split: str, count: int) -> Loader:
    """Give clips (N, 1, 4, 14, 14) and the number of the direction."""
    images = functional.avg_pool2d(tensors(split)[0][:count], 2)
    labels = torch.randint(4, (count,), generator=torch.Generator().manual_seed(5))
    clips = torch.stack(
        [
            torch.stack([image.roll((step * rows, step * columns), (1, 2)) for step in range(4)], 1)
            for image, (rows, columns) in zip(
                images, (DIRECTIONS[label] for label in labels), strict=True
            )
        ]
    )
    training = split == "training"
    return loader(clips, labels, shuffle=training, drop_last=training)


def case() -> Case:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm3d(8),
        nn.ReLU(),
        nn.MaxPool3d((1, 2, 2)),
        nn.Conv3d(8, 16, 3, padding=1, bias=False),
        nn.BatchNorm3d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )
    training = _clips("training", 2000)
    return Case(fit(model, training, 150), _clips("validation", 1000), training)
