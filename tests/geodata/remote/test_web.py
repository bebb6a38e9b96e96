"""One request: whom it may ask, how much it takes, where it may be sent on to."""

import dataclasses
import gzip
import ipaddress
import socket
import ssl

import pytest

from geodata.errors import DataError
from geodata.remote import http
from geodata.remote.http import Web, check_host


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_asked(address, public):
    def resolver(_name, _port):
        return [address]

    if public:
        host = check_host("https://h.example/x", "h", allow_private=False, resolver=resolver)
        assert ipaddress.ip_address(host.address) == ipaddress.ip_address(address)
        assert host.port == 443
    else:
        with pytest.raises(DataError, match=r"private network.*ALLOW_PRIVATE_SOURCES"):
            check_host("https://h.example/x", "h", allow_private=False, resolver=resolver)
        assert check_host("https://h.example/x", "h", allow_private=True, resolver=resolver)


def test_one_private_address_among_several_is_enough_to_refuse():
    with pytest.raises(DataError, match="private network"):
        check_host(
            "https://h.example/x",
            "h",
            allow_private=False,
            resolver=lambda *_: ["8.8.8.8", "10.0.0.1"],
        )


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "0"]
)
def test_loopback_is_known_however_it_is_written(name):
    with pytest.raises(DataError, match="private network"):
        check_host(f"http://{name}/x", "h", allow_private=False)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://h/x", "no address that can be asked"),
        ("file:///etc/passwd", "no address that can be asked"),
        ("https://", "no address that can be asked"),
        ("https://h:99999/x", "no address that can be asked"),
        ("https://h/a b", "no address that can be asked"),
        ("https://h\\@8.8.8.8/", "no address that can be asked"),
        ("https://h/\r\nHost: x", "no address that can be asked"),
        ("https://user:word@h/x", "a user and a password"),
        ("https://nowhere.invalid/x", "no machine 'nowhere.invalid'"),
    ],
)
def test_addresses_that_cannot_be_asked(url, told):
    with pytest.raises(DataError, match=told):
        check_host(url, "h", allow_private=False)


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(service, fetching):
    """A name that answers otherwise the second time (DNS rebinding) gains nothing."""
    service.plain("/a.csv", b"id\n1\n")
    answers = [["127.0.0.1"], ["10.255.255.1"]]
    asked = []

    def resolver(name, _port):
        asked.append(name)
        return answers[len(asked) - 1]

    web = dataclasses.replace(fetching.web, resolver=resolver)
    url = service.url("/a.csv", host="rebound.invalid")  # resolves nowhere but in our resolver
    assert web.read(url, "x", {}) == b"id\n1\n"
    assert asked == ["rebound.invalid"]
    assert service.asked[0][2]["Host"] == f"rebound.invalid:{service.port}"


def test_a_redirect_to_a_private_address_is_not_followed(service, fetching):
    """The first host passes the check; where it sends us on to does not."""
    service.moved("/a", "http://metadata.invalid/latest/meta-data")
    found = {"open.invalid": ["127.0.0.1"], "metadata.invalid": ["169.254.169.254"]}
    real = http._is_public

    def resolver(name, _port):
        return found[name]

    web = Web(allow_private=False, limits=fetching.web.limits, resolver=resolver)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "_is_public", lambda a: str(a) == "127.0.0.1" or real(a))
        with pytest.raises(DataError, match=r"metadata\.invalid lies in a private network"):
            web.read(service.url("/a", host="open.invalid"), "x", {})
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("file:///etc/passwd", "no address that can be asked"),
        ("gopher://127.0.0.1/", "no address that can be asked"),
        ("http://user:word@127.0.0.1/", "a user and a password"),
        ("/a", "sent on more than 5 times"),
    ],
)
def test_redirects_are_held_against_the_rules_one_by_one(service, fetching, target, told):
    service.moved("/a", target)
    with pytest.raises(DataError, match=told):
        fetching.web.read(service.url("/a"), "x", {})
    assert len(service.asked) <= 6


def test_a_redirect_is_followed_and_tokens_stay_at_home(service, fetching):
    service.moved("/a", service.url("/b", host="localhost"))
    service.moved("/b", "/c", status=308)
    service.plain("/c", b"[1]")
    assert fetching.web.read_json(service.url("/a"), "x", {"X-App-Token": "tok"}) == [1]
    told = [headers.get("X-App-Token") for _, _, headers in service.asked]
    assert told == ["tok", None, None]


def test_an_endless_answer_is_cut_and_leaves_no_file(service, fetching, tmp_path):
    service.endless("/a")
    with pytest.raises(DataError, match="longer than 2 MB"):
        fetching.web.save(service.url("/a"), "x", tmp_path / "a", {})
    assert not (tmp_path / "a").exists()


def test_a_packed_answer_is_counted_unpacked(service, fetching, tmp_path):
    bomb = gzip.compress(b"0" * 50_000_000)
    service.plain("/a", bomb, Content_Encoding="gzip")
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="longer than 2 MB"):
        fetching.web.save(service.url("/a"), "x", tmp_path / "a", {})


def test_packed_and_chunked_answers_come_whole(service, fetching):
    content = b"id,name\n" + b"".join(b"%d,%d\n" % (i, i**7) for i in range(20_000))

    def chunked(it, _query):
        it.send_response(200)
        it.send_header("Transfer-Encoding", "chunked")
        it.end_headers()
        for start in range(0, len(content), 50_000):
            piece = content[start : start + 50_000]
            it.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        it.wfile.write(b"0\r\n\r\n")

    service.answers["/chunked"] = chunked
    service.plain("/packed", gzip.compress(content), Content_Encoding="gzip")
    service.plain("/plain", content)
    for path in ("/chunked", "/packed", "/plain"):
        assert fetching.web.read(service.url(path), "x", {}) == content


def test_an_answer_that_says_it_is_long_is_not_begun(service, fetching, tmp_path):
    service.plain("/a", b"0" * 2_000_001)
    heard = []
    web = dataclasses.replace(fetching.web, told=heard.append)
    with pytest.raises(DataError, match="longer than 2 MB"):
        web.save(service.url("/a"), "x", tmp_path / "a", {})
    assert heard == []


def test_slow_answers_are_given_up(service, fetching):
    service.slow("/drip", 0.05)
    with pytest.raises(DataError, match="takes more than 2 seconds"):
        dataclasses.replace(fetching.web).read(service.url("/drip"), "x", {})
    service.slow("/hang", 5, pieces=2)
    with pytest.raises(DataError, match=r"breaks off|cannot be reached"):
        fetching.web.read(service.url("/hang"), "x", {})


@pytest.mark.parametrize(
    ("header", "content"),
    [
        (("Content-Length", "1000"), b"id\n1\n"),
        (("Transfer-Encoding", "chunked"), b"5\r\nid\n1\n\r\n"),
        (("Transfer-Encoding", "chunked"), b"50\r\nid\n1\n"),
    ],
)
def test_an_answer_that_breaks_off_is_no_answer(service, fetching, header, content):
    def answer(it, _query):
        it.send_response(200)
        it.send_header(*header)
        it.end_headers()
        it.wfile.write(content)
        it.close_connection = True

    service.answers["/a"] = answer
    with pytest.raises(DataError, match="breaks off"):
        fetching.web.read(service.url("/a"), "x", {})


def test_a_busy_server_is_asked_again_after_a_pause(service, fetching, pauses):
    left = [503, 429]

    def answer(it, _query):
        if left:
            it.send_json({"message": "busy"}, left.pop(0), Retry_After="9999")
        else:
            it.send_json([])

    service.answers["/a"] = answer
    assert fetching.web.read_json(service.url("/a"), "x", {}) == []
    assert pauses == [60.0, 60.0]
    left[:] = [503] * 9
    with pytest.raises(DataError, match=r"answers 503 \(busy\)"):
        fetching.web.read_json(service.url("/a"), "x", {})
    assert len(left) == 5


def test_what_listens_hears_of_bytes_and_can_end_it(service, fetching):
    service.plain("/a", b"0" * 300_000)

    class CancelledError(Exception):
        pass

    def stop(size):
        if size > 100_000:
            raise CancelledError

    web = dataclasses.replace(fetching.web, told=stop)
    with pytest.raises(CancelledError):
        web.read(service.url("/a"), "x", {})


def test_nobody_there_is_told_in_a_line(fetching):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DataError, match="cannot be reached") as caught:
        fetching.web.read(f"http://127.0.0.1:{port}/secret-path", "the label", {})
    assert "secret-path" not in str(caught.value)


def test_a_certificate_must_be_that_of_the_name(fetching, tmp_path, monkeypatch):
    """Connecting to an address does not weaken TLS: another name's certificate is refused."""
    import subprocess
    import threading

    def certificate(name):
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
                "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip

    def asked(certified):
        certificate(certified)
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "cert.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]

            def serve():
                raw, _ = listening.accept()
                with raw:
                    try:
                        with context.wrap_socket(raw, server_side=True) as secure:
                            secure.recv(4096)
                            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
                    except OSError:
                        pass

            thread = threading.Thread(target=serve)
            thread.start()
            web = dataclasses.replace(fetching.web, resolver=lambda *_: ["127.0.0.1"])
            try:
                return web.read_json(f"https://data.invalid:{port}/a", "x", {})
            finally:
                thread.join()

    assert asked("data.invalid") == []
    with pytest.raises(DataError, match=r"cannot be reached \(SSL"):
        asked("other.invalid")
