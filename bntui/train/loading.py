"""Loads what a session trains on: its settings fitted to the machine, its data on the device."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from bntui.core import rules
from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import RunFacts
from bntui.data import dataset
from bntui.data.sources import mnist_on_disk
from bntui.machine import device
from bntui.train.batch_limits import clipped
from bntui.train.model import activation_bytes, parameter_count
from bntui.train.trainer import Trainer

PROBE = 4
"""Images that activations are measured on."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a session is made of."""

    config: RunConfig
    """As it was fitted to the machine; its batch size is that of the first update."""
    data: dataset.Dataset
    device: torch.device
    notice: str
    """What there is to say, in sentences."""


def load(request: RunRequest, check_stop: Callable[[], None], say: Callable[[str], None]) -> Loaded:
    """Load a run. Raises ConfigError (or DataError) if the device or the data set can't be used."""
    config, left_open = request.config, request.left_open
    on, remark = device.resolve(config.device)
    remarks = [remark, *device.tune(on, config.threads)]
    config = device.fit_to_machine(
        config, left_open, gpu=on.type != "cpu", mnist_on_disk=mnist_on_disk(config.data_dir)
    )
    data = dataset.load(
        config.dataset,
        data_dir=config.data_dir,
        train_size=config.train_size,
        device=on,
        report=say,
        check_stop=check_stop,
    )
    first = rules.scheduled_batch(config.batch_schedule, 1, config.knobs.batch_size)
    size, notice = clipped(first, len(data.train))
    if not notice and "width" in left_open and config.width < 1.0:
        notice = (
            f"width {config.width:g} and batch {config.knobs.batch_size} suit this CPU: "
            "bntui --width 1 trains the thread's full net."
        )
    config = replace(config, knobs=replace(config.knobs, batch_size=size))
    return Loaded(config, data, on, " ".join(filter(None, [data.notice, notice, *remarks])))


def facts_of(trainer: Trainer) -> RunFacts:
    """Return what a loaded run is made of."""
    data = trainer.dataset
    return RunFacts(
        device=str(trainer.device),
        dataset=data.name,
        train=len(data.train),
        validation=len(data.validation),
        parameters=parameter_count(trainer.model),
        class_names=data.class_names,
        activation_bytes=activation_bytes(trainer.model, data.train.images[:PROBE]),
        threads=torch.get_num_threads(),
    )
