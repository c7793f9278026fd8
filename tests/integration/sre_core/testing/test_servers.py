"""Servers of tests: found or missing by name, started, killed, started again."""

import socket
import sys

import psutil
import pytest

from sre_core.testing.servers import REQUIRED, ServerProcess, find_server, free_port, need_package, wait_for_port

pytestmark = pytest.mark.integration

SERVER = """
import http.server, os, signal, subprocess, sys
print("serving", os.environ.get("GREETING", ""), flush=True)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
open("child", "w").write(str(child.pid))
if "--deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def server(tmp_path):
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    server = ServerProcess(command, port=port, folder=tmp_path / "server", environment={"GREETING": "hello"})
    yield server
    server.kill()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_runs_while_the_block_lasts_and_its_output_is_kept(server):
    with server:
        assert server.running
        assert answers(server.port)
        assert "serving hello" in server.log.read_text()
    assert not server.running
    assert not answers(server.port)


def test_a_server_can_be_killed_and_started_again_on_the_same_port(server):
    with server:
        server.kill()
        assert not answers(server.port)
        server.start()
        assert answers(server.port)
        server.restart()
        assert answers(server.port)


def test_what_a_server_started_ends_with_it(server):
    with server:
        child = psutil.Process(int((server.folder / "child").read_text()))
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive or child.status() == psutil.STATUS_ZOMBIE


def test_a_frozen_server_keeps_its_connections_and_answers_again_when_it_thaws(server):
    with server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(0.2)
        server.freeze()
        client.sendall(b"GET /child HTTP/1.0\r\n\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        server.thaw()
        assert client.recv(4) == b"HTTP"
        server.freeze()
    assert not server.running


def test_a_server_that_runs_is_not_started_twice(server):
    with server:
        with pytest.raises(RuntimeError, match="runs already"):
            server.start()
        assert server.running
    assert not answers(server.port)


def test_a_port_that_another_program_has_is_said_to_be_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = ServerProcess([sys.executable, "-c", SERVER, str(port)], port=port, folder=tmp_path)
        with pytest.raises(RuntimeError, match=f"another program listens on port {port}"):
            server.start()
        assert not server.running


def test_a_start_that_is_interrupted_leaves_no_process_behind(tmp_path):
    class Interrupted(ServerProcess):
        @property
        def running(self):
            if self._process is None:
                return False
            raise KeyboardInterrupt

    before = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt):
        Interrupted([sys.executable, "-c", "import time; time.sleep(3600)"], port=free_port(), folder=tmp_path).start()
    assert psutil.Process().children() == before


def test_a_server_that_ends_at_once_says_why(tmp_path):
    command = [sys.executable, "-c", "print('the disk is on fire'); raise SystemExit(1)"]
    with pytest.raises(RuntimeError, match="the disk is on fire"):
        ServerProcess(command, port=free_port(), folder=tmp_path).start()


def test_a_server_that_never_listens_is_given_up(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    server = ServerProcess(command, port=free_port(), folder=tmp_path, patience=0.1)
    with pytest.raises(RuntimeError, match=r"nobody accepts connections on port \d+ after 0.1 s"):
        server.start()
    assert not server.running


def test_stopping_twice_is_no_error(server):
    server.start()
    server.stop()
    server.stop()


def test_a_port_nobody_listens_on_is_waited_for_no_longer_than_said():
    with pytest.raises(TimeoutError):
        wait_for_port(free_port(), seconds=0)


def test_a_program_is_looked_for_in_the_folders_first(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "acmed").write_text("#!/bin/sh\n")
        (tmp_path / name / "acmed").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "two"))
    assert find_server("acmed", hint="get it", folders=[tmp_path / "one"]) == str(tmp_path / "one/acmed")
    assert find_server("acmed", hint="get it") == str(tmp_path / "two/acmed")


def test_a_missing_program_skips_the_test_by_name_and_fails_it_where_servers_are_required(monkeypatch):
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="'no-such-serverd' is not installed; apt-get it"):
        find_server("no-such-serverd", hint="apt-get it")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="'no-such-serverd' is not installed; apt-get it"):
        find_server("no-such-serverd", hint="apt-get it")


def test_a_missing_package_does_the_same(monkeypatch):
    need_package("sre_core", hint="it is here")
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="'no_such_package' is not installed; the weights come with it"):
        need_package("no_such_package", hint="the weights come with it")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="'no_such_package' is not installed; the weights come with it"):
        need_package("no_such_package", hint="the weights come with it")
