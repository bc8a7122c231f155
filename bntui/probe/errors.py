"""The error that says what can't be checked, and the way out."""

from bntui.core.text import ConfigError


class ProbeError(ConfigError):
    """A model, a loader, a batch or a metric can't be checked; the message is one sentence."""
