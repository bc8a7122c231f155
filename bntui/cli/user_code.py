"""The user's function for `bntui check`: where it is, what it returns, and what goes wrong within it.

An exception of the user's own code is told with its own frames, without those of bntui and of torch's
calls of modules.
"""

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from bntui.core.signatures import why_not_called_with
from bntui.core.text import ConfigError, literal

FUNCTION = "parts"
"""The function that is called where none is named."""
NEEDED = ("model", "validation")
ORDER = (*NEEDED, "training")
"""What a tuple holds."""
NAMES = (*ORDER, "forward", "metric", "averaged_from", "against")
CALLED = {"forward": ("model", "batch"), "metric": ("outputs", "targets")}
"""Functions among them, and what they are called with."""
OPTIONS = ("samples", "fresh_batches", "seed")
"""Names that a dict may have as well; options of the command go over them."""
_OURS = Path(__file__).parents[1]
_BETWEEN = ("torch/nn/modules/module.py", "torch/utils/_contextlib.py", "importlib/__init__.py")
"""How files end that stand between frames of a user's, at every call of a module."""


class UserCodeError(Exception):
    """The user's code raised an exception; the message is its traceback without our frames."""


@contextmanager
def users_code() -> Iterator[None]:
    """Run code of the user's: what it prints goes to standard error, what it raises is UserCodeError.

    A ConfigError is passed on, and so is an exception whose last frame is bntui's: a bug of ours.
    """
    typed = sys.argv
    sys.argv = typed[:1]  # ours are not for a parser of theirs
    try:
        with redirect_stdout(sys.stderr):
            yield
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        if _is_ours(error.__traceback__):
            raise
        raise UserCodeError(told(error)) from None
    finally:
        sys.argv = typed


def told(error: BaseException) -> str:
    """Return a traceback with the frames of the user's code only, and no control characters."""
    trace = traceback.TracebackException.from_exception(error)
    seen: list[traceback.TracebackException] = []
    part: traceback.TracebackException | None = trace
    while part is not None and part not in seen:
        kept = [frame for frame in part.stack if not _hidden(frame.filename)]
        alone = issubclass(part.exc_type or type(error), SyntaxError)  # it says itself where it is
        part.stack[:] = kept if kept or alone else part.stack[-1:]
        seen.append(part)
        part = part.__cause__ or part.__context__
    lines = "".join(trace.format()).rstrip().splitlines()
    return "\n".join(map(literal, lines))


def find(target: str) -> Callable[[], object]:
    """Return the function that `module:function` or `file.py:function` names.

    Modules are looked for in the current directory first. Raises ConfigError, and UserCodeError for what the
    module raises while it is imported.
    """
    place, colon, name = target.rpartition(":")
    if not colon:
        place, name = target, FUNCTION
    if not name.isidentifier():
        raise ConfigError(
            f"{name!r} is no name of a function: give one as in my_project.train:parts."
        )
    module = _from_file(Path(place)) if _is_path(place) else _by_name(place)
    found = getattr(module, name, None)
    where = getattr(module, "__file__", None) or place
    if found is None:
        raise ConfigError(f"{where} has no function {name!r}{_others(module, name)}.")
    if not callable(found):
        raise ConfigError(
            f"{name} in {where} is {kind_of(found)}, not a function: give a function that returns what to check."
        )
    if why := why_not_called_with(found):
        raise ConfigError(
            f"{name} in {where} is called without arguments, and needs some ({why}): "
            "give a function that needs none."
        )
    return found  # type: ignore[no-any-return]


def judged(made: object, name: str = FUNCTION) -> dict[str, Any]:
    """Return what a function returned as arguments of `bntui.check`. Raises ConfigError."""
    if isinstance(made, tuple) and hasattr(made, "_asdict"):
        made = made._asdict()
    if isinstance(made, tuple | list) and len(NEEDED) <= len(made) <= len(ORDER):
        made = dict(zip(ORDER, made, strict=False))
    if not isinstance(made, Mapping):
        size = f" of {len(made)}" if isinstance(made, tuple | list) else ""
        raise ConfigError(
            f"{name}() returned {kind_of(made)}{size}: return a dict such as "
            "{'model': …, 'validation': …, 'training': …}, or these three as a tuple."
        )
    for key in made:
        if key not in (*NAMES, *OPTIONS):
            close = get_close_matches(str(key), NAMES, 1)
            hint = f"the nearest is {close[0]!r}" if close else f"there are {', '.join(NAMES)}"
            raise ConfigError(
                f"{name}() returned {key!r}, which bntui.check does not take: {hint}."
            )
    missing = [needed for needed in NEEDED if made.get(needed) is None]
    if missing:
        raise ConfigError(f"{name}() returned no {' and no '.join(missing)}: a check needs both.")
    for key, wanted in CALLED.items():
        given = made.get(key)
        if given is not None and (not callable(given) or why_not_called_with(given, *wanted)):
            how = f"can't be called as {key}({', '.join(wanted)})"
            what = how if callable(given) else f"is {kind_of(given)}, not a function"
            raise ConfigError(
                f"{key} of {name}() {what}: give a function of {' and '.join(wanted)}."
            )
    return dict(made)


def _is_path(place: str) -> bool:
    return place.endswith(".py") or os.sep in place


def _from_file(path: Path) -> ModuleType:
    """Import a file as the module that it is within its packages."""
    if not os.path.isfile(path):  # noqa: PTH113 - Path's raises for a name that is too long
        raise ConfigError(
            f"{path} is no file: give a path as in train.py:parts, or a module as in my_project.train:parts."
        )
    path = path.resolve()
    folder, name = path.parent, path.stem
    while (folder / "__init__.py").is_file():
        folder, name = folder.parent, f"{folder.name}.{name}"
    _look_in(str(folder))
    if "." in name:
        return _by_name(name)
    # Not by its name: a `code.py` or `profile.py` would be the standard library's.
    name = name if name not in sys.modules and name.isidentifier() else f"_{abs(hash(path))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} can't be imported: the name of a Python file ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with users_code():
        spec.loader.exec_module(module)
    return module


def _by_name(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError(
            f"{name!r} is no name of a module: give one as in my_project.train:parts, or a path as in train.py:parts."
        )
    with suppress(OSError):  # it has been removed
        _look_in(str(Path.cwd()))
    with users_code():
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # it is there, and what it imports is not
            raise ConfigError(
                f"there is no module {name}, neither in the current directory nor installed: "
                "give a path as in src/train.py:parts, or go to the directory from which it is imported."
            ) from None


def _look_in(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _others(module: ModuleType, name: str) -> str:
    """Return what a message says of the functions that a module does have."""
    own = [
        key for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]  # fmt: skip
    close = get_close_matches(name, own, 1)
    if close:
        return f": the nearest is {close[0]}"
    return f": it has {', '.join(own[:10])}" if own else ", nor any other"


def kind_of(value: object) -> str:
    """Return what to call a value: None, or its type with an article."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _hidden(file: str) -> bool:
    return (
        file.startswith("<frozen ")
        or _is_within(file)
        or file.replace(os.sep, "/").endswith(_BETWEEN)
    )


def _is_within(file: str) -> bool:
    return Path(file).is_relative_to(_OURS)


def _is_ours(trace: TracebackType | None) -> bool:
    """Return whether the frame that raised is bntui's, and not the call of a user's function."""
    frames = traceback.extract_tb(trace)
    return bool(frames) and _is_within(frames[-1].filename)
