"""A script under `bntui watch` is what it is under `python`: its surroundings, its output, its end."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from tests.probe.watching.processes import PYTHON, WATCH, alike, both, environment, own_errors, run

SURROUNDINGS = """
import builtins, re
def print(*values): builtins.print(*(re.sub("at 0x[0-9a-f]+", "", str(one)) for one in values))
import atexit, gc, locale, os, signal, sys, threading, warnings, codecs, faulthandler
main = sys.modules["__main__"]
print(sys.argv, sys.path, sys.flags, sys.warnoptions, sys.dont_write_bytecode)
print(sorted((name, value) for name, value in os.environ.items() if name != "_"), os.getcwd(), os.umask(0o22), os.getpgrp() == os.getsid(0))
print({one.name: str(signal.getsignal(one)) for one in signal.Signals})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.encoding, stream.errors, stream.line_buffering, stream.write_through, type(stream))
    print(stream is getattr(sys, f"__{stream.name[1:-1]}__"))
print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.callbacks, gc.get_debug())
print(locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding(), sys.getrecursionlimit())
print(warnings.filters, warnings.showwarning, sys.excepthook, sys.displayhook, sys.unraisablehook)
print(threading.active_count(), threading.excepthook, threading.current_thread().name)
print(sys.gettrace(), sys.getprofile(), sys.getswitchinterval(), faulthandler.is_enabled())
print(sorted(vars(main)), main.__name__, __file__, __package__, __doc__, __cached__, __annotations__)
print(type(__loader__), __spec__ and __spec__.name, type(__builtins__), vars(main) is globals())
for error in ("strict", "backslashreplace"):
    print(codecs.lookup_error(error))
try:
    codecs.lookup_error("bntui-lenient")
except LookupError as unknown:
    print(unknown)
class Here: pass
print(Here.__module__, Here)
"""
AFTER_TORCH = """
import torch
print(torch.get_num_threads(), torch.get_num_interop_threads())
print(torch.get_default_dtype(), torch.is_grad_enabled())
print(torch.__spec__, type(torch.__loader__).__name__, sorted(vars(torch.__loader__)))
"""


def written(folder: Path, name: str, text: str) -> str:
    """Write a script; return its name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return name


@pytest.mark.parametrize("encoding", ["", "ascii:replace", "utf-8"])
def test_the_surroundings_are_those_of_python(tmp_path: Path, encoding: str) -> None:
    written(tmp_path, "train.py", SURROUNDINGS)
    settings = {"COLUMNS": "33", "LINES": "", "OMP_NUM_THREADS": "none", "TZ": "Nowhere/There"}
    alike(
        tmp_path, "train.py", "--epochs", "3", "-m", "--help",
        PYTHONIOENCODING=encoding, EMPTY="", **settings,
    )  # fmt: skip


def test_torch_is_as_it_is_under_python(tmp_path: Path) -> None:
    written(tmp_path, "train.py", SURROUNDINGS + AFTER_TORCH)
    alike(tmp_path, "train.py")


@pytest.mark.parametrize(
    "path", ["./deep/train.py", "deep/../deep/train.py", "link.py", "deep", "deep/"]
)
def test_a_path_is_seen_as_it_was_typed(tmp_path: Path, path: str) -> None:
    for name in ("train.py", "__main__.py"):
        written(tmp_path, f"deep/{name}", SURROUNDINGS)
    (tmp_path / "link.py").symlink_to("deep/train.py")
    alike(tmp_path, path, "x")


@pytest.mark.parametrize("name", ["train", "a b.txt", "ünï.py", "-x.py", "train.pyc"])
def test_a_script_may_have_any_name(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, SURROUNDINGS)
    if name.endswith(".pyc"):
        code = "import py_compile, sys; py_compile.compile(sys.argv[1], 'out')"
        assert run(tmp_path, *PYTHON, "-c", code, name).returncode == 0
        (tmp_path / "out").replace(tmp_path / name)
    alike(tmp_path, f"./{name}")


def test_standard_input_is_a_script(tmp_path: Path) -> None:
    alike(tmp_path, "-", "x", text_in=SURROUNDINGS)


def test_a_script_reads_standard_input(tmp_path: Path) -> None:
    written(tmp_path, "train.py", "import sys; print(input(), sys.stdin.read())")
    assert alike(tmp_path, "train.py", text_in="a\nb\nc").stdout == "a b\nc\n"


@pytest.mark.parametrize("module", ["project.train", "project", "project.deep", "alone"])
def test_a_module_runs_as_with_python_m(tmp_path: Path, module: str) -> None:
    relative = "from . import beside; print(beside.__name__)\n"
    written(tmp_path, "project/__init__.py", "print('package', __name__, __import__('sys').argv)")
    written(tmp_path, "project/beside.py", "")
    written(tmp_path, "project/train.py", relative + SURROUNDINGS)
    written(tmp_path, "project/__main__.py", relative + SURROUNDINGS)
    written(tmp_path, "project/deep/__init__.py", "")
    written(tmp_path, "project/deep/__main__.py", SURROUNDINGS)
    written(tmp_path, "alone.py", SURROUNDINGS)
    alike(tmp_path, "-m", module, "--epochs", "3", "--help")


@pytest.mark.parametrize("module", ["project.none", "project", "fails"])
def test_a_module_that_can_not_run_says_what_python_says(tmp_path: Path, module: str) -> None:
    written(tmp_path, "project/__init__.py", "")
    written(tmp_path, "fails/__init__.py", "import there_is_no_such")
    assert alike(tmp_path, "-m", module).returncode == 1


ENDS = {
    "nothing": "",
    "three": "sys.exit(3)",
    "text": "sys.exit('ünfinished')",
    "none": "sys.exit(None)",
    "large": "sys.exit(300)",
    "exit": "raise SystemExit({'a': 1})",
    "error": "def f():\n    {}['a']\nf()",
    "caused": "try: 1/0\nexcept ZeroDivisionError as e: raise ValueError('x') from e",
    "in turn": "try: 1/0\nexcept ZeroDivisionError: [][3]",
    "group": "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
    "note": "e = ValueError('x'); e.add_note('note'); raise e",
    "own": "class Own(Exception): pass\nraise Own('mine')",
    "interrupted": "raise KeyboardInterrupt",
    "exits": "os._exit(7)",
    "hook": "sys.excepthook = lambda *all: print('hook', *all[:2], all[2].tb_lineno)\n1/0",
    "import": "import there_is_no_such_thing",
    "recursion": "f = lambda: f()\nsys.setrecursionlimit(40)\ntry: f()\nexcept RecursionError: print(1)",
    "killed": "os.kill(os.getpid(), 15)",
    "broken": "assert 0, 'no'",
    "atexit": "import atexit; atexit.register(print, 'last', file=sys.stderr); 1/0",
    "thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(.3), print('late', file=sys.stderr))).start()",
    "in a thread": "import threading\nthreading.Thread(target=lambda: 1/0, name='t').start()",
    "forked": "\nif os.fork(): os.wait(); print('parent')\nelse: print('child'); sys.exit(5)",
    "replaced": "import io\nsys.stdout = io.StringIO(); sys.stderr = None; print('lost'); 1/0",
    "closed": "sys.stdout.close(); sys.exit(4)",
    "bar": "sys.stderr.write('\\r 10%'); sys.stderr.write('\\r 20%'); print('a', end='')",
    "warns": "import warnings; warnings.warn('w'); warnings.warn('d', DeprecationWarning)",
    "weak": "class A:\n    def __del__(self): print('deleted')\na = A()",
}


@pytest.mark.parametrize("name", ENDS)
def test_a_script_ends_as_under_python(tmp_path: Path, name: str) -> None:
    written(tmp_path, "train.py", f"import os, sys\nprint('begins')\n{ENDS[name]}\n")
    if name in {"exits", "killed"}:  # with no time to say anything
        plain, watched = both(tmp_path, "train.py")
        assert (watched.returncode, watched.stdout, watched.stderr) == (
            plain.returncode, plain.stdout, plain.stderr,
        )  # fmt: skip
    else:
        alike(tmp_path, "train.py")


@pytest.mark.parametrize("text", ["def f(:\n  pass\n", "x = 1\n  y = 2\n", "x = '\n"])
def test_a_script_that_is_no_python_says_so_itself(tmp_path: Path, text: str) -> None:
    (tmp_path / "train.py").write_text(text, encoding="latin-1")
    assert alike(tmp_path, "train.py").returncode == 1


@pytest.mark.parametrize("form", ["file", "module"])
def test_ctrl_c_ends_a_script_as_python_does(tmp_path: Path, form: str) -> None:
    written(
        tmp_path,
        "train.py",
        """
        import time
        def wait():
            print("on", flush=True)
            for _ in range(200):
                time.sleep(0.1)
        try:
            wait()
        finally:
            print("saved")
        """,
    )
    words = ["train.py"] if form == "file" else ["-m", "train"]
    plain, watched = (_interrupted(tmp_path, *start, *words) for start in (PYTHON, WATCH))
    assert watched.stdout == plain.stdout
    assert plain.stdout == "saved\n"
    assert watched.returncode == plain.returncode == -signal.SIGINT
    assert own_errors(watched) == plain.stderr
    assert "KeyboardInterrupt" in plain.stderr


def _interrupted(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(),
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "on\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, errors)


def test_python_s_own_flags_hold(tmp_path: Path) -> None:
    written(tmp_path, "train.py", SURROUNDINGS)
    flags = ("-X", "dev", "-O", "-u", "-W", "ignore", "-P")
    plain = run(tmp_path, sys.executable, *flags, "train.py")
    watched = run(tmp_path, sys.executable, *flags, "-m", "bntui", "watch", "train.py")
    assert watched.stdout == plain.stdout
    assert plain.stdout


def test_modules_beside_a_script_are_found_first(tmp_path: Path) -> None:
    written(tmp_path, "deep/train.py", "import beside, click; print(beside.x, click.__file__)")
    written(tmp_path, "deep/beside.py", "x = 3")
    written(tmp_path, "beside.py", "x = 4")
    assert alike(tmp_path, "deep/train.py").stdout.startswith("3 ")


WORKERS = """
import multiprocessing, pickle, sys
import torch
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __len__(self): return 6
    def __getitem__(self, index): return torch.tensor(index ** 2)

class Mine:
    pass

def work(rank, queue):
    print("worker", rank, __name__, flush=True)
    queue.put(Mine())

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    assert type(pickle.loads(pickle.dumps(Mine()))) is Mine
    loader = DataLoader(Squares(), 2, num_workers=1, multiprocessing_context=context)
    print([batch.tolist() for batch in loader], flush=True)
    queue = context.Queue()
    process = context.Process(target=work, args=(1, queue))
    process.start()
    print(type(queue.get()) is Mine)
    process.join()
    print(process.exitcode)
"""


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("fork", ("train.py",)),
        ("spawn", ("train.py",)),
        ("spawn", ("-m", "train")),
        ("forkserver", ("train.py",)),
    ],
)
def test_workers_are_neither_watched_nor_broken(
    tmp_path: Path, method: str, words: tuple[str, ...]
) -> None:
    written(tmp_path, "train.py", WORKERS)
    said = alike(tmp_path, *words, method).stdout.splitlines()
    name = "__main__" if method == "fork" else "__mp_main__"
    assert said == ["[[0, 1], [4, 9], [16, 25]]", f"worker 1 {name}", "True", "0"]


def test_a_broken_pipe_ends_as_under_python(tmp_path: Path) -> None:
    written(tmp_path, "train.py", "for i in range(100000): print(i)")
    plain, watched = (
        run(
            tmp_path, "bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "_", *start, "train.py"
        )
        for start in (PYTHON, WATCH)
    )
    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout)
    assert own_errors(watched) == plain.stderr


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    written(tmp_path, "train.py", "print('here')")
    command = f"mkdir gone; cd gone; rmdir ../gone; exec {' '.join(WATCH)} {tmp_path}/train.py"
    assert run(tmp_path, "bash", "-c", command).stdout == "here\n"
    assert not (tmp_path / "gone").exists()
