"""Tests of the load, against a server that closes, refuses and answers."""

import http.server
import socket
import threading
import unittest
from unittest import mock

from . import source_ports
from .load import Load, Request


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answered, ports = 0, []

    def do_GET(self):
        type(self).answered += 1
        self.ports.append(self.client_address[1])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("X-Trace-Id", f"{type(self).answered:032x}")
        self.end_headers()
        self.wfile.write(b"ok")
        if self.path == "/closes":
            # Without a word: the client finds out with its next request.
            self.close_connection = True

    def log_message(self, *_):
        pass


class Loads(unittest.TestCase):
    def setUp(self):
        Handler.answered, Handler.ports = 0, []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_address[1]}"

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def load(self, path="/", status=200, addresses=None, **options):
        mix = [Request("GET", path, None, path, status)]
        return Load(addresses or [self.address], "test", mix=mix, timeout=5, **options).start().wait()

    def test_every_request_is_answered_once(self):
        load = self.load(requests=90, kept=3, fresh=3)
        self.assertEqual((len(load.answers), load.failures, Handler.answered), (90, [], 90))
        self.assertEqual(len({answer.trace_id for answer in load.answers}), 90)
        self.assertTrue({answer.kept for answer in load.answers} == {True, False})

    def test_no_port_is_taken_again_and_those_of_others_are_left_out(self):
        mine = socket.create_server(("127.0.0.1", 0))
        port = mine.getsockname()[1]
        with mine, mock.patch.object(source_ports, "PORTS", range(port, port + 200)):
            load = self.load(requests=90, kept=0, fresh=3)
        self.assertEqual((len(load.answers), load.failures), (90, []))
        self.assertEqual(len(set(Handler.ports)), 90)
        self.assertNotIn(port, Handler.ports)

    def test_a_kept_connection_that_was_closed_is_no_failure_and_is_said(self):
        load = self.load("/closes", requests=20, kept=2, fresh=0)
        self.assertEqual((len(load.answers), load.failures, Handler.answered), (20, [], 20))
        self.assertGreater(load.resent, 0)

    def test_another_status_is_a_failure(self):
        load = self.load(status=404, requests=4, kept=1, fresh=1)
        self.assertEqual((len(load.answers), len(load.failures)), (4, 4))

    def test_nobody_there_is_a_failure_once_and_then_the_others_are_asked(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
            nobody = f"127.0.0.1:{closed.server_address[1]}"
        load = self.load(addresses=[nobody, self.address], requests=40, kept=0, fresh=1)
        self.assertEqual((len(load.answers), len(load.failures)), (39, 1))

    def test_the_rate_is_kept(self):
        load = self.load(requests=30, rate=60, kept=2, fresh=2)
        self.assertGreater(load.ended - load.began, 0.4)


if __name__ == "__main__":
    unittest.main()
