"""Downloads of published data sets from a mirror on this machine: whole, failing, cancelled."""

import gzip
import hashlib
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torchvision.datasets

from bntui.data import download, sources
from bntui.data.cifar import CIFAR10
from bntui.data.idx import FASHION_MNIST, KMNIST, MNIST, Idx
from tests.data.loading import assert_standardised, files_under, load
from tests.data.stand_ins import REAL_MNIST, StandIn, complaint, needs_mnist

pytestmark = pytest.mark.usefixtures("home")

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
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A mirror that takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url])
        listener.setblocking(False)
        yield listener


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
        monkeypatch.setitem(sources.PUBLISHED_SETS, small.name, full[small.name])
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


def test_a_cancelled_download_answers_at_once_and_begins_again_at_the_next_start(
    mnist: StandIn, home: Path, serve: Serve, silent: socket.socket
) -> None:
    calls: list[socket.socket] = []

    def check_stop() -> None:
        with suppress(BlockingIOError):
            calls.append(silent.accept()[0])
            raise LookupError

    with pytest.raises(LookupError):
        load("mnist", check_stop=check_stop)
    assert files_under(home) == {"MNIST", "MNIST/raw"}
    calls[0].close()
    serve(mnist)
    assert len(load("mnist").train) == 20


@needs_mnist
def test_download_of_the_whole_mnist(home: Path, serve: Serve) -> None:
    serve(StandIn(MNIST, Path(str(REAL_MNIST))))
    said = list[str]()
    assert len(load("mnist", report=said.append).train) == 60_000
    assert len(files_under(home)) == 6
    assert any(line.endswith(" of 12 MB") for line in said)
