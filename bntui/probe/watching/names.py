"""What the models of a script are called. Imports torch only where there is a model."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

SAY_NOTHING = {"model", "net", "network", "module", "m"}
"""Names of variables that say less than a class."""


class Names:
    """Gives each model a name of its own: the user's, or its class and its variable in the script."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self._given: set[str] = set()

    def of(self, model: "nn.Module", own: str = "") -> str:
        """Return a name that no model has had: numbered, if it must be. `own` is what stands for its class."""
        from bntui.probe.watching.described import unwrapped

        model = unwrapped(model)
        variable = _variable(model)
        first = self._wanted or (own or type(model).__name__) + f" {variable}" * bool(variable)
        number, name = 1, first
        while name in self._given:
            number += 1
            name = f"{first} ({number})"
        self._given.add(name)
        return name


def _variable(model: "nn.Module") -> str:
    """Return the name of the script's variable that holds a model, or its wrapper; empty if none tells."""
    from torch import nn

    from bntui.probe.watching.described import unwrapped

    main = vars(sys.modules["__main__"]).copy()
    for name, value in main.items():
        if issubclass(type(value), nn.Module) and unwrapped(value) is model:
            return "" if name.startswith("_") or name in SAY_NOTHING else name
    return ""
