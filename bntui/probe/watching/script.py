"""A script of a user's, run as `python SCRIPT` or `python -m MODULE` runs it: as `__main__` of this process.

All that Python sets up for it is the same: its arguments, paths and module, signals, the exit status,
and what is printed of an exception. Imports no torch.
"""

import builtins
import io
import pkgutil
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType

from bntui.core.text import ConfigError, literal, reason
from bntui.probe.watching.own_frames import hide_ours, outermost

STANDARD_INPUT = "-"
MAIN = "__main__"


@dataclass(frozen=True, slots=True)
class Script:
    """What is run, as it was typed."""

    target: str
    """A file; a folder or an archive with a `__main__.py`; `-` for standard input; or a module's name."""
    arguments: tuple[str, ...] = ()
    is_module: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, found."""

    name: str
    """For `sys.argv[0]`."""
    arguments: tuple[str, ...]
    folder: str
    """Where modules are looked for first."""
    file: str = ""
    """As `__file__` has it."""
    source: bytes | None = None
    """None for what Python itself finds and runs: a module, or what has a `__main__.py`."""
    module: str = MAIN


def find(script: Script) -> Program:
    """Find what is to be run, and read it if it is a file. Raises ConfigError if it can't be read."""
    typed, arguments = script.target, script.arguments
    here = _here()
    if script.is_module:
        _refuse_unknown(typed, here)
        return Program("-m", arguments, here, module=typed)
    if typed == STANDARD_INPUT:
        return Program(typed, arguments, "", "<stdin>", sys.stdin.buffer.read())
    file = f"{here}/{typed}" if here and not typed.startswith("/") else typed
    try:
        if pkgutil.get_importer(file) is not None:
            return Program(typed, arguments, file)
        with io.open_code(file) as opened:
            source = opened.read()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{typed} can't be read ({reason(error)}): name a script as in `bntui watch train.py`, "
            "or a module as in `bntui watch -m project.train`."
        ) from None
    return Program(typed, arguments, str(Path(file).resolve().parent), file, source)


def run(program: Program) -> None:
    """Run it. Raises what it raises, of which only its own frames will be printed."""
    sys.argv[:] = [program.name, *program.arguments]
    _look_first_in(program)
    before = sys.modules[MAIN]
    main = sys.modules[MAIN] = ModuleType(MAIN)
    main.__dict__["__builtins__"] = builtins
    if "__annotations__" in vars(before):  # up to Python 3.13
        main.__annotations__ = {}
    try:
        if program.source is None:
            _run_module(program)
        else:
            _run_file(program, program.source, main)
    except BaseException:
        hide_ours()
        raise


@outermost
def _run_module(program: Program) -> None:
    """Run a module with the function by which Python itself does: its frames are printed there, too."""
    as_main: Callable[[str, bool], object] = runpy._run_module_as_main  # type: ignore[attr-defined]
    as_main(program.module, program.module != MAIN)


@outermost
def _run_file(program: Program, source: bytes, main: ModuleType) -> None:
    code: CodeType | None = pkgutil.read_code(io.BytesIO(source))
    loader = SourceFileLoader if code is None else SourcelessFileLoader
    from_input = program.name == STANDARD_INPUT
    main.__loader__ = BuiltinImporter if from_input else loader(MAIN, program.file)
    main.__dict__.update(__file__=program.file, __cached__=None)
    if code is None:
        code = compile(source, program.file, "exec", dont_inherit=True)
    del source
    exec(code, vars(main))


def _here() -> str:
    """Return the current directory; nothing if it has been removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def _look_first_in(program: Program) -> None:
    """Put the script's folder where Python has put that of the program `bntui`.

    With `-P` Python does so only for what has a `__main__.py`.
    """
    if not sys.flags.safe_path:
        sys.path[0] = program.folder
    elif program.source is None and program.module == MAIN:
        sys.path.insert(0, program.folder)


def _refuse_unknown(module: str, here: str) -> None:
    """Raise ConfigError if there is no such module, or no such package that it would be in.

    No package of the user's is imported for that: whether the rest is there is seen when it runs.
    """
    first = module.partition(".")[0]
    if first in sys.modules:
        return
    before = sys.path[0] if sys.path else None
    if before is not None and not sys.flags.safe_path:
        sys.path[0] = here
    try:
        known = bool(first) and find_spec(first) is not None
    except (ImportError, ValueError):
        known = False
    finally:
        if before is not None:
            sys.path[0] = before
    if not known:
        raise ConfigError(
            f"there is no module {literal(first or module)!r}, neither in the current directory nor "
            "installed: name one as in `bntui watch -m project.train`, or a file as in `bntui watch train.py`."
        )
