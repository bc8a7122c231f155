"""One run, one update at a time: weights, data order, optimiser and the rows of statistics.

Knows nothing of threads, time or screens. No step reads a value back from the device: losses wait
there, with what else an update shows of itself, until `take_results` fetches them together.
"""

import io
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bntui.core import rules
from bntui.core.border import BorderError, Count, Positive, Share, Within
from bntui.core.config import Knobs, RunConfig
from bntui.core.parsers import MAX_STEPS
from bntui.data.dataset import Dataset, Split
from bntui.machine import memory
from bntui.measure.attached import Attached
from bntui.measure.estimators import OWN, Estimators, EstimatorsState
from bntui.measure.histories import EpochEnd, Result
from bntui.measure.kept_tensors import like
from bntui.measure.random_streams import Drawn, stream
from bntui.measure.statistics import attach
from bntui.measure.subject import Classification, Samples
from bntui.train.compiled import compiled
from bntui.train.model import build, parameter_count
from bntui.train.optimisers import OptimiserState, optimiser

PENDING = 4096
"""Updates whose results may wait on the device before they must be fetched."""


@dataclass(frozen=True, slots=True)
class TrainerState:
    """Where a trainer is, but for what its configuration and its data set tell."""

    weights: list[Tensor]
    optimiser: OptimiserState
    estimators: EstimatorsState
    update: Annotated[int, Within(0, MAX_STEPS)]
    images: Count
    epoch: Positive
    momentum: Share
    shuffles: Tensor
    order: Tensor
    """The images of the epoch under way, by their places in the training set."""
    position: Count
    """How many of them were seen."""
    epoch_sums: Tensor


class Trainer:
    """The thread's network in training.

    The same `config` and the same knobs at the same updates give the same weights, bit for bit on
    the CPU with the same number of threads. Weights are drawn from torch's own generator, seeded for
    that, while nobody else draws from it; all else from generators made here. Raises ConfigError for
    more weights than memory can hold.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, device: torch.device) -> None:
        self.config = config
        self.dataset = dataset
        self.device = device
        make_model = partial(
            build,
            norm_layers=config.norm_layers,
            depth=config.depth,
            ghost_batch=config.ghost_batch,
            width=config.width,
            image=dataset.train.images.shape[1:],
            classes=dataset.classes,
        )
        # On `meta` tensors have a shape and no memory. Norms have few weights.
        with torch.device("meta"):
            weights = parameter_count(make_model(norm="none"))
        memory.check_weights(weights, memory.free_on(device), str(device))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.seed)
            model = make_model(norm=config.norm)
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = compiled(self.model) if config.compile else self.model
        self._precision = (
            torch.autocast(device.type, torch.bfloat16) if config.amp else nullcontext()
        )
        self.buffers = attach(self.model, dataset.train.images[:1])
        self.estimators = Estimators(self.buffers)
        self.buffers.feed_back(self.estimators[OWN])
        self.subject = Attached(
            self.model,
            self.buffers,
            _samples(dataset.train),
            _samples(dataset.validation),
            Classification(dataset.classes),
        )
        """What the observer measures."""
        self.optimiser = optimiser(config.optimizer, list(self.model.parameters()))
        self.update = 0
        self.images = 0
        self.epoch = 1
        self.momentum = rules.momentum(config, config.knobs)
        """The last update's, of the run's own running statistics."""
        self.moves = rules.moves(config, config.knobs)
        """How often it moved them."""
        # Of its own, so that networks of another shape see the same batches.
        self._shuffles = stream(config.seed, Drawn.ORDER)
        self._order = self._shuffled()
        self._position = 0
        self._epoch_sums = torch.zeros(2, device=device)
        self._pending = torch.zeros(PENDING, 4, device=device)
        self._taken = 0

    @property
    def has_hindsight(self) -> bool:
        """Whether other estimators tell what would have been: not those of batch renorm."""
        return self.config.has_hindsight

    @property
    def must_take_results(self) -> bool:
        """Whether the place for results on the device is full."""
        return self.update - self._taken == PENDING

    def step(self, knobs: Knobs) -> bool:
        """Make one update with `knobs`; return whether it ended an epoch.

        Raises RuntimeError or MemoryError where memory runs out (see `memory.ran_out`): the same
        images then come again. In the forward or backward pass, where nearly all of it is needed,
        nothing was done; after it, they are trained on twice.
        """
        batch = self._order[self._position : self._position + knobs.batch_size]
        images, labels = self.dataset.train.images[batch], self.dataset.train.labels[batch]

        # Forward.
        self.buffers.prepare(self.update)
        if not self.model.training:  # it goes through all layers
            self.model.train()
        with self._precision:
            logits = self._network(images).float()
        loss = cross_entropy(logits, labels)

        # Backward.
        self.optimiser.drop_gradients()
        loss.backward()
        self.optimiser.update(rules.learning_rate(self.config, knobs, self.update))

        # Bookkeeping, all of it on the device.
        with torch.no_grad():
            statistics = self.buffers.batch_row(len(batch))
            self.momentum = rules.momentum(self.config, knobs)
            self.moves = rules.moves(self.config, knobs)
            each = self.config.ghost_updates == "each"
            for row in self.buffers.batch_rows(len(batch)) if each else [statistics]:
                self.estimators.update(row, self.momentum, knobs.estimator)
            accuracy = (logits.argmax(1) == labels).float().mean()
            result = torch.stack([loss, accuracy, *_first_broken(statistics)])
            self._epoch_sums.add_(result[:2], alpha=len(batch))
            self._pending[self.update - self._taken] = result
        self._position += len(batch)
        self.update += 1
        self.images += len(batch)
        return self.epoch_over

    def drop_gradients(self) -> None:
        """Give back the memory that an update which failed has left behind."""
        self.optimiser.drop_gradients()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def take_results(self) -> list[Result]:
        """Fetch the results of every update since the last call."""
        rows = self._pending[: self.update - self._taken].tolist()
        first = self._taken + 1
        self._taken = self.update
        return [
            Result(first + place, loss, accuracy, self._layer_of(int(channel)) if broken else None)
            for place, (loss, accuracy, broken, channel) in enumerate(rows)
        ]

    def _layer_of(self, channel: int) -> str:
        """Return the name of the layer with this channel of a row."""
        ends = accumulate(self.buffers.channels)
        return next(
            name for name, end in zip(self.buffers.names, ends, strict=True) if channel < end
        )

    def epoch_so_far(self) -> EpochEnd:
        """Return the averages over the images seen since the epoch began."""
        loss, accuracy = (self._epoch_sums / max(1, self._position)).tolist()
        return EpochEnd(self.epoch, loss, accuracy)

    def begin_epoch(self) -> None:
        """Shuffle, and start from the first image again."""
        self._epoch_sums.zero_()
        self._order = self._shuffled()
        self._position = 0
        self.epoch += 1

    @property
    def mid_epoch(self) -> bool:
        """Whether the epoch under way has seen some of its images."""
        return self._position > 0

    def weights(self) -> bytes:
        """Return the network as torch.save writes a state dict.

        With the run's own running statistics, the variances biased as in Keras.
        """
        content = io.BytesIO()
        with self.buffers.holding(self.estimators[OWN]):
            torch.save(self.model.state_dict(), content)
        return content.getvalue()

    @property
    def epoch_over(self) -> bool:
        """Whether the epoch under way has seen all of its images."""
        return self._position == len(self._order)

    def state(self) -> TrainerState:
        """Return what `restore` needs to go on from here, bit for bit on the CPU.

        Results must have been taken.
        """
        return TrainerState(
            weights=[weight.detach() for weight in self.model.parameters()],
            optimiser=self.optimiser.state(),
            estimators=self.estimators.state(),
            update=self.update,
            images=self.images,
            epoch=self.epoch,
            momentum=self.momentum,
            shuffles=self._shuffles.get_state(),
            order=self._order,
            position=self._position,
            epoch_sums=self._epoch_sums,
        )

    def restore(self, state: TrainerState) -> None:
        """Go on from a state of a trainer with the same configuration and data set.

        Raises BorderError, and RuntimeError for what is no state of a generator.
        """
        every = torch.arange(len(self.dataset.train))
        order = like(every, state.order, "order of the images")
        if not torch.equal(order.sort().values, every) or state.position > len(order):
            raise BorderError("the order of the images is not one of the data set's")
        with torch.no_grad():
            for weight, kept in zip(self.model.parameters(), state.weights, strict=True):
                weight.copy_(like(weight, kept, "weights"))
        self.optimiser.restore(state.optimiser)
        self.estimators.restore(state.estimators)
        self.update = self._taken = state.update
        self.images = state.images
        self.epoch = state.epoch
        self.momentum = state.momentum
        self._shuffles.set_state(state.shuffles)
        self._order = order.to(self.device)
        self._position = state.position
        self._epoch_sums.copy_(like(self._epoch_sums, state.epoch_sums, "sums of the epoch"))

    def _shuffled(self) -> Tensor:
        order = torch.randperm(len(self.dataset.train), generator=self._shuffles)
        return order.to(self.device)


def _samples(split: Split) -> Samples:
    return Samples(split.images, split.labels)


def _first_broken(statistics: Tensor) -> tuple[Tensor, Tensor]:
    """Return whether statistics (2, C) are non-finite anywhere, 1 or 0, and the first such channel.

    In few operations, for this is done at every update: 0·x is NaN where x is not finite.
    """
    if not statistics.shape[1]:
        return statistics.new_zeros(()), statistics.new_zeros(())
    broken, channel = (statistics.sum(0) * 0.0).isnan().to(statistics.dtype).max(0)
    return broken, channel.to(broken.dtype)
