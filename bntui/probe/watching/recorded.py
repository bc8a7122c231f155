"""Whether what is computed now is recorded, to be done again later."""

import torch


def is_recorded() -> bool:
    """Tell whether operations are recorded, by `torch.jit.trace` or as a CUDA graph.

    What is done meanwhile would be done again with every replay, or spoil the recording.
    """
    return torch._C._get_tracing_state() is not None or is_captured()


def is_captured() -> bool:
    """Tell whether a CUDA graph is being captured on this thread's stream."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()
