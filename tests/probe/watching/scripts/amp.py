"""Mixed precision on the CPU: autocast to bfloat16, and a scaler of gradients."""

import torch
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

seed()
training, validation = loaders()
model = network()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
with watched(model, validation=validation, training=training) as probe:
    for step, (images, labels) in enumerate(training, 1):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = functional.cross_entropy(model(images), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        probe.log(loss=loss)
        tell(step, loss)
keep(model=model, optimizer=optimizer, scaler=scaler)
