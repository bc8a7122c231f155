"""How functions of a user's can be called."""

import inspect
from collections.abc import Callable


def why_not_called_with(function: Callable[..., object], *arguments: object) -> str:
    """Say why a function can't be called so; empty if it can, or has no signature that would tell."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        return str(error) or "other arguments"
    except ValueError:
        pass
    return ""
