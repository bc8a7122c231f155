"""A ResNet-18 of torchvision on bntui's built-in photographs, watched while an ordinary loop trains it.

    python examples/resnet_on_photos.py                 # a minute or two on two cores
    bntui attach                                        # meanwhile, in another terminal

The question is of which of ten photographs a patch of 28 × 28 pixels is. At this learning rate the weights
move so fast that the running statistics, of momentum 0.1, are those of a network that is no more: after 48
updates validation is hardly better than guessing, and with fresh statistics every second answer is right.
"""

import argparse

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import bntui  # the first line for watching
from bntui.data.dataset import Split, load

Batches = DataLoader[tuple[Tensor, ...]]


def batches(split: Split, size: int, *, shuffle: bool) -> Batches:
    """Return a loader of images, float32 (N, 1, 28, 28), with their labels, int64 (N,)."""
    return DataLoader(TensorDataset(split.images, split.labels), size, shuffle=shuffle)


def resnet() -> nn.Module:
    """Return an untrained ResNet-18 for small grey images of ten classes."""
    model: nn.Module = torchvision.models.resnet18(num_classes=10)
    model.conv1 = nn.Conv2d(1, 64, kernel_size=3, stride=2, padding=1, bias=False)
    return model


@torch.no_grad()
def accuracy(model: nn.Module, validation: Batches) -> float:
    """Return the share of validation images that the model tells, as usual: in eval mode."""
    model.eval()
    right = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in validation)
    return right / len(validation.dataset)  # type: ignore[arg-type]


def train(model: nn.Module, training: Batches, validation: Batches, epochs: int) -> None:
    """Train a model, and print the loss and the validation accuracy after every epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for images, labels in training:
            optimizer.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(
            f"epoch {epoch}: loss {total / len(training):.3f},"
            f" validation accuracy {accuracy(model, validation):.3f}"
        )


def main() -> None:
    """Load the photographs, and train a network on them that is watched."""
    parser = argparse.ArgumentParser(description="a ResNet-18 on photographs, watched by bntui")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--images", type=int, default=2000, help="training images")
    options = parser.parse_args()
    torch.manual_seed(0)
    photos = load("photos", train_size=options.images, device=torch.device("cpu"))
    training = batches(photos.train, options.batch_size, shuffle=True)
    validation = batches(photos.validation, 250, shuffle=False)
    model = resnet()
    # The second one; without share= looks take 5 % of the time, which is few of them in a minute.
    with bntui.watch(model, validation=validation, training=training, share=0.25):
        train(model, training, validation, options.epochs)


if __name__ == "__main__":
    main()
