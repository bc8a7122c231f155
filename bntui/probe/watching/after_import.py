"""What is done when a library has been imported, by whoever imports it. Imports none by itself."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from bntui.probe.watching.own_frames import hidden


def after_import(name: str, call: Callable[[], None]) -> None:
    """Call a function, which must not raise, once the library is loaded; at once if it is already."""
    if name in sys.modules:
        call()
    else:
        sys.meta_path.insert(0, _Finder(name, call))


class _Finder(MetaPathFinder):
    """Finds one library as others do, and is gone when it is loaded: nothing of this is left then."""

    def __init__(self, name: str, call: Callable[[], None]) -> None:
        self._name = name
        self._call = call

    @hidden
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find."""
        if fullname != self._name:
            return None
        for finder in tuple(sys.meta_path):
            if finder is not self and (find := getattr(finder, "find_spec", None)):
                spec: ModuleSpec | None = find(fullname, path, target)
                if spec is not None:
                    self._attach(spec)
                    return spec
        return None

    def _attach(self, spec: ModuleSpec) -> None:
        """Have the spec's loader, which loads this library only, tell when it has."""
        loader = spec.loader
        execute = getattr(loader, "exec_module", None)
        if loader is None or execute is None:
            return

        @hidden
        def exec_module(module: ModuleType) -> None:
            execute(module)
            with suppress(AttributeError):
                del loader.exec_module
            with suppress(ValueError):
                sys.meta_path.remove(self)
            self._call()

        with suppress(AttributeError):  # a loader without attributes of its own
            loader.exec_module = exec_module  # type: ignore[method-assign]
