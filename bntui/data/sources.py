"""Every data set by its name or path, as NumPy arrays.

Each source has a file of its own. None imports torch before it is needed, so that the command line
need not wait for it; torchvision is imported to download, and for CIFAR-10's checksums.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bntui.data.arrays import Arrays, blank_classes, check_memory, check_train_size
from bntui.data.built_in import BUILT_IN_SETS
from bntui.data.cifar import CIFAR10
from bntui.data.folder import read_folder
from bntui.data.idx import FASHION_MNIST, KMNIST, MNIST
from bntui.data.npz import read_npz
from bntui.data.published import Published

PUBLISHED_SETS: dict[str, Published] = {
    known.name: known for known in (MNIST, FASHION_MNIST, KMNIST, CIFAR10)
}


def check_given(dataset: str, data_dir: str | None) -> None:
    """Raise DataError if the user named a folder that lacks a published data set.

    Reads no content.
    """
    PUBLISHED_SETS[dataset].check_given(data_dir)


def mnist_on_disk(data_dir: str | None) -> bool:
    """Tell whether MNIST's files exist with the right sizes. Reads no content."""
    return MNIST.on_disk(data_dir)


def read(
    dataset: str,
    *,
    data_dir: str | None = None,
    train_size: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    check_stop: Callable[[], None] = lambda: None,
) -> Arrays:
    """Read a built-in or a published data set by its name, or the user's own by its path.

    `train_size` keeps so many training images: the first ones of a known data set; of the user's
    own, which often come class by class, the same share of each class. Raises ConfigError for a size
    out of bounds, and DataError.
    """
    path = Path(dataset)
    if path.is_absolute():
        if path.is_dir():
            own = read_folder(path, train_size, report, check_stop)
        else:
            own = read_npz(path, train_size, check_stop)
        return replace(own, notice=" ".join(filter(None, [own.notice, blank_classes(own)])))
    if dataset in PUBLISHED_SETS:
        arrays = PUBLISHED_SETS[dataset].read(data_dir, report, check_stop)
    else:
        arrays = BUILT_IN_SETS[dataset].read()
    images, labels = arrays.train_images, arrays.train_labels
    kept = check_train_size(dataset, train_size, len(images))
    check_memory(
        dataset, train=kept, validation=len(arrays.validation_images), image=images[0].size
    )
    return replace(arrays, train_images=images[:kept], train_labels=labels[:kept])
