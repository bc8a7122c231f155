"""MNIST, Fashion-MNIST, KMNIST and CIFAR-10: on disk, damaged, and downloaded.

Most tests use stand-ins of a few images with their own checksums; those on the real MNIST skip
where $BNTUI_DATA doesn't hold it.
"""

import gzip
import hashlib
import os
import pickle
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torchvision.datasets

from bntui.engine import datafiles
from bntui.engine.config import PUBLISHED
from bntui.engine.datafiles import download, mnist_on_disk
from bntui.engine.datafiles.cifar import CIFAR10
from bntui.engine.datafiles.digits import read_digits
from bntui.engine.datafiles.idx import FASHION_MNIST, KMNIST, MNIST, Idx, IdxFile
from bntui.engine.datafiles.published import Published, data_root
from tests.engine.loading import assert_standardised, files_under, load, sentence

pytestmark = pytest.mark.usefixtures("home")

REAL_MNIST = os.environ.get("BNTUI_DATA")
needs_mnist = pytest.mark.skipif(
    REAL_MNIST is None or not mnist_on_disk(REAL_MNIST), reason="BNTUI_DATA doesn't hold MNIST"
)
COUNTS = (20, 20, 10, 10)
IMAGES = 2
"""Images in each of the stand-in's batches of CIFAR-10."""


@dataclass(frozen=True)
class StandIn:
    """A small data set in a published one's place, whole in `root`."""

    known: Published
    root: Path

    @property
    def name(self) -> str:
        return self.known.name

    @property
    def place(self) -> Path:
        return self.root / self.known.folder

    def arrays(self) -> datafiles.Arrays:
        return self.known.read(str(self.root))


def idx_stand_in(known: Idx, root: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    (root / known.folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    files = []
    for real, count in zip(known.contents, COUNTS, strict=True):
        shape = (count, *real.shape[1:])
        header = [len(shape) + 0x800, *shape]
        values = rng.integers(0, 256 if len(shape) > 1 else 10, shape, np.uint8)
        content = b"".join(number.to_bytes(4, "big") for number in header) + values.tobytes()
        (root / known.folder / real.name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest() if real.sha256 else ""
        files.append(IdxFile(real.name, shape, len(gzip.compress(content)), digest))
    small = replace(known, contents=tuple(files))
    monkeypatch.setitem(datafiles.PUBLISHED, known.name, small)
    if known is MNIST:
        monkeypatch.setattr(datafiles, "MNIST", small)
    return StandIn(small, root)


def cifar_stand_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    (root / CIFAR10.folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    checksums = []
    for number, file in enumerate(CIFAR10.files):
        data = rng.integers(0, 256, (IMAGES, 3072), np.uint8)
        content = pickle.dumps({"data": data, "labels": [number, 9 - number]}, protocol=2)
        (root / CIFAR10.folder / file).write_bytes(content)
        checksums.append([file, hashlib.md5(content).hexdigest()])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "train_list", checksums[:5])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "test_list", checksums[5:])
    return StandIn(CIFAR10, root)


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return idx_stand_in(MNIST, tmp_path / "given", monkeypatch)


@pytest.fixture(params=[FASHION_MNIST, KMNIST], ids=["fashion", "kmnist"])
def unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> StandIn:
    """Return a data set of which no checksum is known once it is unpacked."""
    return idx_stand_in(request.param, tmp_path / "given", monkeypatch)


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return cifar_stand_in(tmp_path / "given", monkeypatch)


@pytest.fixture(params=PUBLISHED)
def any_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> StandIn:
    known = datafiles.PUBLISHED[request.param]
    if isinstance(known, Idx):
        return idx_stand_in(known, tmp_path / "given", monkeypatch)
    return cifar_stand_in(tmp_path / "given", monkeypatch)


Serve = Callable[[StandIn], list[str]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return a function that makes a mirror of a stand-in and lists what it was asked."""
    www, asked = tmp_path / "www", list[str]()
    www.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Keep quiet: torchvision hangs up after following redirects."""

    server = Server(("127.0.0.1", 0), partial(Handler, directory=str(www)))
    address = f"http://127.0.0.1:{server.server_port}/"

    def start(small: StandIn) -> list[str]:
        if not isinstance(small.known, Idx):
            packed = www / CIFAR10.archives([])[0].name
            with tarfile.open(packed, "w:gz") as tar:
                tar.add(small.place, small.known.folder)
            digest = hashlib.md5(packed.read_bytes()).hexdigest()
            monkeypatch.setattr(torchvision.datasets.CIFAR10, "tgz_md5", digest)
            monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", address + packed.name)
            return asked
        resources = []
        for path in sorted(small.place.iterdir()):
            content = gzip.compress(path.read_bytes(), compresslevel=1)
            (www / f"{path.name}.gz").write_bytes(content)
            resources.append((f"{path.name}.gz", hashlib.md5(content).hexdigest()))
        known = getattr(torchvision.datasets, small.known.torchvision)
        monkeypatch.setattr(known, "resources", resources)
        monkeypatch.setattr(known, "mirrors", [address])
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
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url])
        yield


def complaint(small: StandIn | str, **options: object) -> str:
    text = sentence(small if isinstance(small, str) else small.name, **options)
    assert "--dataset digits" in text
    return text


# On disk


def test_the_root_is_named_or_the_user_s(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root(None) == home
    monkeypatch.setenv("BNTUI_DATA", "/from/environment")
    assert data_root(None) == Path("/from/environment")
    assert data_root("/from/option") == Path("/from/option")
    assert data_root("~/data") == Path.home() / "data"


def test_folders_are_those_of_torchvision() -> None:
    for known in (MNIST, FASHION_MNIST, KMNIST):
        torchvisions = getattr(torchvision.datasets, known.torchvision)
        root = torchvisions.__new__(torchvisions)
        root.root = "/root"
        assert Path("/root") / known.folder == Path(root.raw_folder)
        assert {f"{file}.gz" for file in known.files} == {name for name, _ in root.resources}
    theirs = torchvision.datasets.CIFAR10
    assert CIFAR10.folder == theirs.base_folder
    assert CIFAR10.files == tuple(name for name, _ in theirs.train_list + theirs.test_list)


def test_class_names_are_torchvision_s_but_for_the_capitals() -> None:
    theirs = tuple(torchvision.datasets.FashionMNIST.classes)
    assert [name.lower() for name in FASHION_MNIST.class_names] == [name.lower() for name in theirs]
    assert KMNIST.class_names == tuple(torchvision.datasets.KMNIST.classes)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_it_is_read_and_its_folder_left_alone(
    by: str, any_of_them: StandIn, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_under(any_of_them.root)
    if by == "environment":
        monkeypatch.setenv("BNTUI_DATA", str(any_of_them.root))
    dataset = load(any_of_them.name, data_dir=str(any_of_them.root) if by == "option" else None)
    assert (dataset.name, dataset.classes) == (any_of_them.name, 10)
    assert dataset.class_names == any_of_them.known.class_names
    assert_standardised(dataset, any_of_them.arrays())
    assert files_under(any_of_them.root) == before
    assert not home.exists()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_mnist_s_images_are_what_the_files_hold(packed: bool, mnist: StandIn) -> None:
    images, labels = (mnist.place / file for file in MNIST.files[:2])
    pixels = np.frombuffer(images.read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    classes = np.frombuffer(labels.read_bytes()[8:], np.uint8)
    if packed:
        for path in mnist.place.iterdir():
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    assert mnist_on_disk(str(mnist.root))
    arrays = mnist.arrays()
    np.testing.assert_array_equal(arrays.train_images, pixels)
    np.testing.assert_array_equal(arrays.train_labels, classes)
    assert (len(arrays.train_images), len(arrays.validation_images)) == (20, 10)


def test_cifar_s_images_are_red_green_and_blue_planes_in_a_row(cifar: StandIn) -> None:
    arrays = cifar.arrays()
    assert arrays.train_images.shape == (5 * IMAGES, 32, 32, 3)
    assert arrays.train_labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert arrays.validation_labels.tolist() == [5, 4]
    content = (cifar.place / "data_batch_3").read_bytes()
    second = pickle.loads(content)["data"][1]
    for channel, row, column in ((0, 0, 0), (1, 2, 31), (2, 31, 7)):
        expected = second[1024 * channel + 32 * row + column]
        assert arrays.train_images[5, row, column, channel] == expected


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path, at: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
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


def bomb(path: Path) -> None:
    """Pack zeros without end, and claim the right size at the end."""
    claim = path.stat().st_size.to_bytes(4, "little")
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(bytes(50_000_000))[:-4] + claim)
    path.unlink()


@pytest.mark.parametrize("file", MNIST.files[1:3], ids=["labels", "images"])
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
        (bomb, "is damaged", True),
    ],
)
def test_every_fault_of_mnist_is_named(
    file: str, damage: Callable[[Path], None], words: str, right_size: bool, mnist: StandIn
) -> None:
    path = mnist.place / file
    damage(path)
    text = complaint(mnist, data_dir=str(mnist.root))
    assert words in text
    assert str(path) in text
    assert mnist_on_disk(str(mnist.root)) is right_size


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        (0, Path.unlink, "is missing"),
        (0, cut, "bytes instead of"),
        (0, partial(flip, at=3), "header"),
        (2, partial(flip, at=7), "header"),
        (1, partial(flip, at=1), "header"),
        (1, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x0a"), "holds the label 10"),
        (3, partial(gz, damage=partial(flip, at=20)), "is damaged"),
        (3, folder, "bytes instead of"),
    ],
)
def test_without_a_checksum_header_and_labels_are_checked(
    file: int, damage: Callable[[Path], object], words: str, unsigned: StandIn
) -> None:
    path = unsigned.place / unsigned.known.files[file]
    damage(path)
    text = complaint(unsigned, data_dir=str(unsigned.root))
    assert words in text
    assert str(path) in text
    assert unsigned.known.title in text or unsigned.known.folder in text


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, "is missing"),
        (cut, "MD5"),
        (flip, "MD5"),
        (empty, "MD5"),
        (folder, "not a file"),
        (loop, "not a file"),
        (lambda path: os.truncate(path, 50_000_001), "larger than"),
    ],
)
def test_every_fault_of_cifar_is_named(
    damage: Callable[[Path], object], words: str, cifar: StandIn
) -> None:
    path = cifar.place / "data_batch_4"
    damage(path)
    text = complaint(cifar, data_dir=str(cifar.root))
    assert words in text
    assert str(path) in text


class Intruder:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_nothing_is_unpickled_without_torchvision_s_checksum(cifar: StandIn) -> None:
    trace = cifar.root / "trace"
    (cifar.place / "test_batch").write_bytes(pickle.dumps(Intruder(trace)))
    complaint(cifar, data_dir=str(cifar.root))
    assert not trace.exists()


def test_fault_in_the_users_own_folder_offers_the_download(mnist: StandIn, home: Path) -> None:
    mnist.root.rename(home)
    cut(home / MNIST.folder / MNIST.files[0])
    assert "delete it and ask for --dataset mnist" in complaint("mnist")


@pytest.mark.parametrize("name", PUBLISHED)
def test_folder_that_is_none(name: str, tmp_path: Path) -> None:
    there, file, other = tmp_path / "nowhere", tmp_path / "file", tmp_path / "empty"
    file.touch()
    other.mkdir()
    assert f"{there} does not exist" in complaint(name, data_dir=str(there))
    assert not there.exists()
    assert f"{file} is not a folder" in complaint(name, data_dir=str(file))
    assert "is missing" in complaint(name, data_dir=str(other))
    assert f"holds {datafiles.PUBLISHED[name].folder} " in complaint(name, data_dir=str(other))
    assert "can't be read (File name too long)" in complaint("mnist", data_dir="x" * 5000)
    assert not any(map(mnist_on_disk, [str(there), str(file), "x" * 5000]))


def test_cancelling_a_reading(any_of_them: StandIn) -> None:
    def breathe() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        load(any_of_them.name, data_dir=str(any_of_them.root), breathe=breathe)


# The download


def test_download(any_of_them: StandIn, home: Path, serve: Serve) -> None:
    asked, said = serve(any_of_them), list[str]()
    dataset = load(any_of_them.name, report=said.append)
    assert_standardised(dataset, any_of_them.arrays())
    assert files_under(home) == files_under(any_of_them.root)
    title = any_of_them.known.title
    assert any(line.startswith(f"downloading {title}: ") and line.endswith(" MB") for line in said)

    asked.clear()
    load(any_of_them.name)
    assert asked == []
    missing = any_of_them.known.files[2]
    (home / any_of_them.known.folder / missing).unlink()
    load(any_of_them.name)
    assert set(asked) == {f"/{file.name}" for file in any_of_them.known.archives([missing])}
    assert files_under(home) == files_under(any_of_them.root)


def test_second_mirror_answers_when_the_first_does_not(
    mnist: StandIn, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(mnist)
    theirs = torchvision.datasets.MNIST
    monkeypatch.setattr(theirs, "mirrors", [unreachable(), *theirs.mirrors])
    assert len(load("mnist").train) == 20


def test_a_folder_that_was_named_is_never_downloaded_into(
    any_of_them: StandIn, home: Path, tmp_path: Path, serve: Serve
) -> None:
    asked = serve(any_of_them)
    (tmp_path / "empty").mkdir()
    complaint(any_of_them, data_dir=str(tmp_path / "empty"))
    assert asked == []
    assert not home.exists()


def unreachable() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        return f"http://127.0.0.1:{closed_at_once.getsockname()[1]}/"


def no_network(small: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(small.known, Idx):
        theirs = getattr(torchvision.datasets, small.known.torchvision)
        monkeypatch.setattr(theirs, "mirrors", [unreachable()])
    else:
        theirs = torchvision.datasets.CIFAR10
        monkeypatch.setattr(theirs, "url", unreachable() + theirs.filename)


def not_served(small: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(small.known, Idx):
        theirs = getattr(torchvision.datasets, small.known.torchvision)
        monkeypatch.setattr(theirs, "mirrors", [f"{theirs.mirrors[0]}elsewhere/"])
    else:
        theirs = torchvision.datasets.CIFAR10
        url = theirs.url.replace(theirs.filename, f"elsewhere/{theirs.filename}")
        monkeypatch.setattr(theirs, "url", url)


def wrong_md5(small: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(small.known, Idx):
        resources = [(f"{file}.gz", "0" * 32) for file in small.known.files]
        theirs = getattr(torchvision.datasets, small.known.torchvision)
        monkeypatch.setattr(theirs, "resources", resources)
    else:
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "tgz_md5", "0" * 32)


def another_data_set(small: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(small.known, Idx):
        full = {known.name: known for known in (MNIST, FASHION_MNIST, KMNIST)}
        monkeypatch.setitem(datafiles.PUBLISHED, small.name, full[small.name])
    else:
        wrong = [[file, "0" * 32] for file in CIFAR10.files[:5]]
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "train_list", wrong)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (no_network, "Connection refused"),
        (not_served, "not found"),
        (wrong_md5, "corrupted"),
        (another_data_set, "is damaged, it"),
    ],
)
def test_download_that_fails_leaves_nothing(
    fault: Callable[[StandIn, pytest.MonkeyPatch], None],
    words: str,
    any_of_them: StandIn,
    home: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve(any_of_them)
    fault(any_of_them, monkeypatch)
    text = complaint(any_of_them)
    assert text.startswith(f"{any_of_them.known.title} can't be downloaded (")
    assert words.lower() in text.lower()
    assert not any(path.is_file() for path in home.rglob("*"))
    assert list((home / any_of_them.known.folder).iterdir()) == []


@pytest.mark.parametrize("place", [".", "MNIST", "MNIST/raw"])
def test_folder_that_cannot_be_written(
    place: str, mnist: StandIn, home: Path, serve: Serve
) -> None:
    serve(mnist)
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).touch()
    text = complaint("mnist")
    assert text.startswith(f"MNIST can't be written to {home / 'MNIST' / 'raw'} (")


def test_disk_that_fills_up(mnist: StandIn, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    serve(mnist)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", full)
    assert "No space left on device" in complaint("mnist")


@pytest.mark.usefixtures("mnist", "silent")
def test_silence_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "STALLED_SECONDS", 0.2)
    assert "nothing came for" in complaint("mnist")
    assert files_under(home) == {"MNIST", "MNIST/raw"}


@pytest.mark.usefixtures("silent")
def test_a_cancelled_download_answers_at_once_and_begins_again_at_the_next_start(
    mnist: StandIn, home: Path, serve: Serve
) -> None:
    start = time.monotonic()

    def breathe() -> None:
        if time.monotonic() > start + 0.3:
            raise LookupError

    with pytest.raises(LookupError):
        load("mnist", breathe=breathe)
    assert files_under(home) == {"MNIST", "MNIST/raw"}
    serve(mnist)
    assert len(load("mnist").train) == 20


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
    digits, mnist = read_digits(), MNIST.read(REAL_MNIST)
    labels = {
        image.tobytes(): label
        for image, label in zip(mnist.train_images[:5848], mnist.train_labels, strict=False)
    }
    for images, expected in (
        (digits.train_images, digits.train_labels),
        (digits.validation_images, digits.validation_labels),
    ):
        assert [labels[image.tobytes()] for image in images] == expected.tolist()


@needs_mnist
def test_one_flipped_bit_of_mnist_is_found(tmp_path: Path) -> None:
    raw = tmp_path / MNIST.folder
    raw.mkdir(parents=True)
    for file in MNIST.files:
        (raw / file).symlink_to(Path(str(REAL_MNIST)) / MNIST.folder / file)
    damaged = raw / MNIST.files[0]
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content)
    flip(damaged)
    assert mnist_on_disk(str(tmp_path))
    assert f"{damaged} is damaged" in complaint("mnist", data_dir=str(tmp_path))


@needs_mnist
def test_download_of_the_whole_mnist(home: Path, serve: Serve) -> None:
    serve(StandIn(MNIST, Path(str(REAL_MNIST))))
    said = list[str]()
    assert len(load("mnist", report=said.append).train) == 60_000
    assert len(files_under(home)) == 6
    assert any(line.endswith(" of 12 MB") for line in said)
