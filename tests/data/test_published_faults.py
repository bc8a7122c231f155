"""MNIST, Fashion-MNIST, KMNIST and CIFAR-10 damaged: every fault is named, and only our own folder is tidied."""

import gzip
import os
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bntui.data.idx import FASHION_MNIST, KMNIST, MNIST
from bntui.data.sources import mnist_on_disk
from tests.data.loading import files_under
from tests.data.stand_ins import REAL_MNIST, StandIn, complaint, idx_stand_in, needs_mnist
from tests.no_files import NO_FILES
from tools.faults import Fault

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(params=[FASHION_MNIST, KMNIST], ids=["fashion", "kmnist"])
def unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> StandIn:
    """Return a data set of which no checksum is known once it is unpacked."""
    return idx_stand_in(request.param, tmp_path / "given", monkeypatch)


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


def html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>sign in to the network</html>")


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


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
        (folder, "can't be read (Is a directory)", False),
        (html, "is a page of HTML and not MNIST's", False),
        *(
            (replaced(make), f"(it is a {kind} and no file)", False)
            for kind, make in NO_FILES.items()
        ),
        (loop, "can't be read (Too many levels", False),
        (partial(gz, damage=cut), "bytes instead of", False),
        (partial(gz, damage=empty), "holds 0 bytes", False),
        (partial(gz, damage=flip), "is damaged", True),
        (partial(gz, damage=keep_end), "holds 9 bytes instead of", False),
        *(
            (partial(gz, damage=replaced(make)), f"(it is a {kind} and no file)", False)
            for kind, make in NO_FILES.items()
        ),
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
        (0, partial(gz, damage=partial(flip, at=-6)), "not a whole gzip"),  # in its checksum
        (3, folder, "can't be read (Is a directory)"),
        (2, html, "is a page of HTML and not "),
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
        (folder, "can't be read (Is a directory)"),
        (loop, "can't be read (Too many levels"),
        (html, "is a page of HTML and not CIFAR-10's"),
        *((replaced(make), f"(it is a {kind} and no file)") for kind, make in NO_FILES.items()),
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


@pytest.mark.fault("a downloaded file is damaged", injected="its end cut off")
def test_damage_in_our_own_folder_is_set_aside_for_the_next_download(
    mnist: StandIn, home: Path, fault: Fault
) -> None:
    mnist.root.rename(home)
    path = home / MNIST.folder / MNIST.files[0]
    cut(path)
    damaged = path.read_bytes()
    said = complaint("mnist")
    assert "ask for --dataset mnist again to download it" in said
    assert not path.exists()
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    fault.saw = said.replace(str(home), "…")
    fault.lost = "nothing; the next start downloads it again"


@pytest.mark.fault(
    "a page of HTML in the place of a data file", injected="what a network's sign-in page sends"
)
def test_a_page_of_html_is_called_one_and_set_aside(
    mnist: StandIn, home: Path, fault: Fault
) -> None:
    mnist.root.rename(home)
    html(home / MNIST.folder / MNIST.files[0])
    said = complaint("mnist")
    assert "is a page of HTML and not MNIST's (set aside as " in said
    assert "damaged," not in said
    fault.saw = said.replace(str(home), "…")
    fault.lost = "nothing; the next start downloads it again"


@pytest.mark.parametrize("damage", [folder, loop, *map(replaced, NO_FILES.values())])
def test_what_is_no_file_in_our_own_folder_is_left_there_and_so_it_is_said(
    damage: Callable[[Path], object], mnist: StandIn, home: Path
) -> None:
    mnist.root.rename(home)
    damage(home / MNIST.folder / MNIST.files[0])
    before = files_under(home)
    assert "remove it and ask for --dataset mnist again" in complaint("mnist")
    assert files_under(home) == before


def test_a_link_to_a_damaged_file_is_left_there_and_so_is_the_file(
    mnist: StandIn, home: Path, tmp_path: Path
) -> None:
    mnist.root.rename(home)
    path = home / MNIST.folder / MNIST.files[0]
    cut(path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "is damaged, it holds 15,695 bytes" in (said := complaint("mnist"))
    assert "remove it and ask for --dataset mnist again" in said
    assert path.is_symlink()
    assert (tmp_path / "elsewhere").exists()


def test_damage_in_a_folder_of_the_users_is_left_where_it_is(mnist: StandIn) -> None:
    path = mnist.place / MNIST.files[0]
    cut(path)
    damaged = path.read_bytes()
    assert "damaged" in complaint("mnist", data_dir=str(mnist.root))
    assert path.read_bytes() == damaged
    assert not list(mnist.place.glob("*.damaged-*"))


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
