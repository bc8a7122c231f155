"""Which batch sizes a run can have: its images are a limit, and the memory of its device is one."""

import torch

from bntui.core.snapshot import RunFacts
from bntui.core.text import ConfigError
from bntui.machine import allocator, memory


class BatchLimits:
    """Those of one run."""

    def __init__(self, device: torch.device, facts: RunFacts) -> None:
        self._device = device
        self._images = facts.train
        self._activation_bytes = facts.activation_bytes
        self._resident = memory.resident()
        self._fitted = 0
        """The batch size of the last update that memory sufficed for."""
        self._allocated_for = 0

    def prepare_allocator(self, batch_size: int) -> None:
        """Keep freed memory at hand for batches of this size, where there is room for that.

        The peak of an update is then up to twice as high, 1.8 to 2.3 times its activations instead of
        1.1 to 1.3: so twice as many images must fit.
        """
        if batch_size != self._allocated_for and self._device.type == "cpu":
            self._allocated_for = batch_size
            little = batch_size * self._activation_bytes <= allocator.MOST_KEPT
            allocator.keep_freed(keep=little and 2 * batch_size <= self._most())

    def fitted(self, batch_size: int) -> None:
        """Note that memory sufficed for an update of so many images."""
        self._fitted = batch_size

    def smaller(self, failed: int) -> tuple[int, str]:
        """Return the last batch size that fitted, or half of `failed`, for which memory ran out; and why.

        Raises ConfigError where none fitted before: nothing is lost then, and the user asked for another
        run.
        """
        smaller = self._fitted if self._fitted < failed else failed // 2
        if not self._fitted or smaller < 2:
            half = min(failed // 2, self._most())
            cure = f"give --batch-size {half}" if half > 1 else "close other programs"
            raise ConfigError(
                f"batch size {failed} needs more memory than {self._device} has: {cure}."
            )
        return smaller, (
            f"memory ran out on {self._device} at batch size {failed}: the run keeps its weights and "
            f"goes on with {smaller}."
        )

    def too_large(self, batch_size: int) -> str:
        """Say why an update can't be that large, with what would fit; nothing where it can."""
        if batch_size <= self._fitted or batch_size <= (most := self._most()):
            return ""
        size = memory.needed(batch_size, self._activation_bytes) / 1e9
        fits = f"at most {most} would fit" if most > 1 else "not even 2 would fit"
        return (
            f"batch size {batch_size} needs {size:,.1f} GB of memory on {self._device}, and {fits}"
        )

    def within(self, wanted: int, current: int) -> tuple[int, str]:
        """Return the batch size to take where one is `wanted`: that, or what is possible; and why.

        The memory for the `current` one is there.
        """
        size, said = clipped(wanted, self._images)
        if size > current and (why := self.too_large(size)):
            return current, f"{why}: the run goes on with {current}."
        return size, said

    def _most(self) -> int:
        """Return how many images an update can have, as far as can be told."""
        free = memory.free_on(self._device)
        if self._device.type == "cpu":
            # What updates took and the allocator keeps is theirs again.
            free += max(0, memory.resident() - self._resident)
        return memory.largest_batch(free, self._activation_bytes)


def clipped(batch_size: int, images: int) -> tuple[int, str]:
    """Return a batch size that is at most all images, and what there is to say of that."""
    if batch_size <= images:
        return batch_size, ""
    return images, (
        f"batch size {batch_size} is more than the {images} training images: clipped to {images}."
    )
