"""Downloads from a server of this machine: whole and checked, or nothing, with one message."""

import functools
import hashlib
import http.server
import threading

import pytest

from facegen_core.errors import WeightsNotFoundError
from facegen_core.weights import WEIGHTS, WeightSpec
from facegen_core.weights.download import get_weights

CONTENT = bytes(range(256)) * 40


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None: ...

    def do_GET(self) -> None:
        if self.path != "/cut.pt":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)
        return None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "toy.pt").write_bytes(CONTENT)
    (folder / "page.pt").write_bytes(b"<!DOCTYPE html><title>Sign in</title>")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEGEN_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def add(monkeypatch, url: str, digest: str = "") -> None:
    spec = WeightSpec("toy", "toy.pt", "tests", "a shop", "MIT", "sha256" if digest else "none", digest, url=url)
    monkeypatch.setitem(WEIGHTS, "toy", spec)


def test_file_is_downloaded_and_checked_once(folder, server, monkeypatch):
    add(monkeypatch, f"{server}/toy.pt", hashlib.sha256(CONTENT).hexdigest())
    path = get_weights("toy")
    assert path == folder / "toy.pt" and path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir()] == ["toy.pt"]
    add(monkeypatch, "http://127.0.0.1:1/gone", hashlib.sha256(CONTENT).hexdigest())
    assert get_weights("toy") == path, "what is there and right is not downloaded again"


def test_another_address_may_be_given(folder, server, monkeypatch):
    add(monkeypatch, "")
    assert get_weights("toy", f"{server}/toy.pt").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("file", "digest", "words"),
    [
        ("toy.pt", "0" * 64, r"is not the published file: its sha256 digest is [0-9a-f]{64}, expected 0+\."),
        ("page.pt", "", "gave a web page"),
        ("none.pt", "", "could not be downloaded .*404"),
        ("cut.pt", "", "could not be downloaded"),
    ],
)
def test_what_is_not_the_file_is_not_kept(folder, server, monkeypatch, file, digest, words):
    add(monkeypatch, f"{server}/{file}", digest)
    with pytest.raises(WeightsNotFoundError, match=words):
        get_weights("toy")
    assert not list(folder.iterdir())


def test_no_network_no_address_no_name(folder, monkeypatch):
    add(monkeypatch, "http://127.0.0.1:1/toy.pt")
    with pytest.raises(WeightsNotFoundError, match=r"toy: http.* could not be downloaded \(.*refused\)\. Get it on a"):
        get_weights("toy")
    with pytest.raises(WeightsNotFoundError, match="not an address"):
        get_weights("toy", "not an address")
    add(monkeypatch, "")
    with pytest.raises(WeightsNotFoundError, match=r"no program can download it\. Get toy\.pt by hand from a shop"):
        get_weights("toy")
    with pytest.raises(WeightsNotFoundError, match=r"facenet_vgg: no known network \(near: facenet_vggface2"):
        get_weights("facenet_vgg")
