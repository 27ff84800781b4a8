"""What `parkade up` refuses and warns of before anything is started."""

import pytest

from parkade.apps.settings import server_settings
from parkade.apps.supervisor import Options
from parkade.domain.errors import InvalidInput


def options(tmp_path, *, auth=True, time_scale=1.0, **changes):
    settings = server_settings(state=tmp_path, auth=auth, time_scale=time_scale, environment={})
    return Options(settings=settings, **changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_no_auth_is_for_loopback(tmp_path, host):
    assert options(tmp_path, auth=False, host=host).check() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "parkade.example.com"])
def test_no_auth_is_refused_elsewhere(tmp_path, host):
    with pytest.raises(InvalidInput, match="--no-auth is refused"):
        options(tmp_path, auth=False, host=host).check()


def test_a_host_that_is_not_loopback_without_https_is_warned_of(tmp_path):
    (warning,) = options(tmp_path, host="0.0.0.0").check()
    assert "tokens" in warning
    assert "can be read" in warning


def test_https_needs_certificate_and_key(tmp_path):
    (tmp_path / "cert").write_text("")
    with pytest.raises(InvalidInput, match="both"):
        options(tmp_path, tls_cert=tmp_path / "cert").check()
    with pytest.raises(InvalidInput, match="cannot be read"):
        options(tmp_path, tls_cert=tmp_path / "cert", tls_key=tmp_path / "absent").check()


@pytest.mark.parametrize("scale", [0, -1, 1e9])
def test_a_time_scale_out_of_range_is_refused(tmp_path, scale):
    with pytest.raises(InvalidInput, match="time-scale"):
        options(tmp_path, time_scale=scale).check()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8700"),
        ("0.0.0.0", "http://127.0.0.1:8700"),
        ("::1", "http://[::1]:8700"),
    ],
)
def test_the_url_is_one_that_this_machine_reaches(tmp_path, host, url):
    assert options(tmp_path, host=host).url == url
