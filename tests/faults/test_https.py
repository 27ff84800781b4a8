"""A server with a certificate, and the CLI that talks to it."""

import shutil
import ssl
import subprocess
import sys

import httpx
import pytest

from tests.house import PATIENCE, House, wait_for


@pytest.fixture
def certificate(tmp_path):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_https_is_served_and_a_certificate_that_is_not_trusted_is_named(tmp_path, certificate):
    cert, key = certificate
    built = House(tmp_path / "state", "--tls-cert", str(cert), "--tls-key", str(key))
    url = f"https://127.0.0.1:{built.port}"
    command = [sys.executable, "-m", "parkade.apps.cli", "up", "--state", str(built.state)]
    command += ["--port", str(built.port), *built.arguments]
    with built.output.open("ab") as log:
        built.supervisor = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: built.paths.url_file.exists() and "ready" in built.output.read_text())
        context = ssl.create_default_context(cafile=cert)
        assert httpx.get(f"{url}/v1/health/ready", verify=context, timeout=PATIENCE).is_success
        ls = [sys.executable, "-m", "parkade.apps.cli", "ls"]
        environment = {"PARKADE_STATE": str(built.state)}
        doubted = subprocess.run(ls, env=environment, capture_output=True, text=True, check=False)
        assert doubted.returncode == 1
        assert "certificate" in doubted.stderr
        assert "SSL_CERT_FILE" in doubted.stderr
        environment["SSL_CERT_FILE"] = str(cert)
        trusted = subprocess.run(ls, env=environment, capture_output=True, text=True, check=False)
        assert trusted.returncode == 0, trusted.stderr
    finally:
        built.end()
