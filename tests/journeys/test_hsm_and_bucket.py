"""A store whose root key is in an HSM and whose objects are in a bucket: real SoftHSM, real S3 server, real processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from strongroom.cli.main import cli
from strongroom.wiring.port import free_port

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")

CONFIG = """\
[store]
name = "hsm"
demonstration = true

[keeper]
root = "pkcs11"

[keeper.pkcs11]
module = "{module}"
token = "strongroom"
pin_file = "{folder}/pin"

[objects]
kind = "s3"
bucket = "docs"
endpoint = "http://127.0.0.1:{s3}"
access_key_file = "{folder}/s3key"
allow_http = true

[api]
port = {port}

[signin]
port = {signin}
"""

MAKE = (
    "import pathlib, sys; from strongroom.wiring.demo import make_demo;"
    "make_demo(pathlib.Path(sys.argv[1]), open(sys.argv[2]).read(), patients=8, decoys=2)"
)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SoftHSM token, its PIN and the bucket's key; gives their folder."""
    if not MODULE.exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}\n")
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "strongroom",
        "--so-pin",
        "12345678",
        "--pin",
        "87654321",
    ]
    subprocess.run(
        command, env={**os.environ, "SOFTHSM2_CONF": f"{folder}/softhsm.conf"}, check=True, capture_output=True
    )
    for name, content in (("pin", "87654321"), ("s3key", "key\nsecret\n")):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    return folder


def served(url: str, headers: dict[str, str]) -> httpx2.Response:
    """The answer; a store whose parts are slow, as on a machine with much to do, may say 503 before."""
    end = time.monotonic() + 60
    while (answer := httpx2.get(url, headers=headers, timeout=60)).status_code == 503 and time.monotonic() < end:
        time.sleep(0.2)
    assert answer.is_success, answer.text
    return answer


def test_a_store_lives_on_an_hsm_and_a_bucket(s3_port: int, token: Path, tmp_path: Path) -> None:
    """Made, filled, served and read; what lies in the bucket is ciphertext; without the HSM it does not start."""
    environment = {**os.environ, "SOFTHSM2_CONF": f"{token}/softhsm.conf"}
    store, port = tmp_path / "s", free_port()
    text = tmp_path / "strongroom.toml"
    text.write_text(CONFIG.format(module=MODULE, folder=token, s3=s3_port, port=port, signin=free_port()))
    made = subprocess.run(
        [sys.executable, "-c", MAKE, store, text], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    assert not (store / "keeper" / "root.key").exists()
    serve = [sys.executable, "-m", "strongroom.cli.main", "serve", "--store", str(store)]
    with subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        access = CliRunner().invoke(cli, ["token", "--as", "patient1", "--store", str(store)]).stdout.strip()
        headers = {"Authorization": f"Bearer {access}"}
        base = f"http://127.0.0.1:{port}/fhir"
        entries = served(f"{base}/DocumentReference", headers).json()["entry"]
        resource = entries[0]["resource"]
        content = served(f"{base}/Binary/{resource['id']}", headers)
        assert len(content.content) == resource["content"][0]["attachment"]["size"]
        part = served(f"{base}/Binary/{resource['id']}", {**headers, "Range": "bytes=5-9"})
        assert part.content == content.content[5:10]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    shutil.rmtree(token / next(entry.name for entry in token.iterdir() if entry.is_dir()))
    again = subprocess.run(serve, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 78
    assert "HSM" in again.stderr
    assert "87654321" not in again.stderr
