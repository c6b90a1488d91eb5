"""Requests from outside of the cluster, some on kept connections and some on new ones; every answer is remembered."""

import collections
import http.client
import itertools
import threading
import time

from .source_ports import SourcePorts

Request = collections.namedtuple("Request", "method path body route status")
Answer = collections.namedtuple("Answer", "at method route status trace_id kept seconds")
Failure = collections.namedtuple("Failure", "at why address kept")

MIX = [
    Request("GET", "/", None, "/", 200),
    Request("GET", "/hello/ada", None, "/hello/{name}", 200),
    Request("GET", "/hello/grace", None, "/hello/{name}", 200),
    Request("POST", "/echo", b'{"order": 7}', "/echo", 200),
    Request("GET", "/checkout", None, "/checkout", 200),
    Request("GET", "/hello/edsger", None, "/hello/{name}", 200),
    Request("GET", "/no/such/page", None, "unmatched", 404),
    Request("POST", "/echo", b'{"order": 8}', "/echo", 200),
    Request("GET", "/", None, "/", 200),
    Request("GET", "/faults/status/503", None, "/faults/status/{code}", 503),
]


class Load:
    """`rate` requests a second in all (None: as fast as they are answered), by `kept` workers that keep their connection and `fresh`
    workers that open one for each request. Ends after `requests`, or with stop()."""

    def __init__(self, addresses, marker, rate=None, requests=None, kept=6, fresh=6, timeout=10.0, mix=MIX):
        self.addresses, self.marker, self.timeout, self.mix = addresses, marker, timeout, mix
        self.limit, self.rate = requests, rate
        self.answers, self.failures = [], []
        # Requests that met a kept connection closed before a byte of an answer, and were sent again on a new one.
        self.resent = 0
        self.connections = 0
        self._numbers = itertools.count()
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._down, self._ports = {}, SourcePorts()
        kinds = [True] * kept + [False] * fresh
        self._workers = [threading.Thread(target=self._work, args=(place, keeps), daemon=True) for place, keeps in enumerate(kinds)]

    def start(self):
        self.began, self._clock = time.time(), time.monotonic()
        for worker in self._workers:
            worker.start()
        return self

    def wait(self):
        for worker in self._workers:
            worker.join()
        self.ended = time.time()
        return self

    def stop(self):
        self._stopped.set()
        return self.wait()

    def _work(self, place, keeps):
        connection = None
        while not self._stopped.is_set():
            with self._lock:
                number = next(self._numbers)
            if self.limit is not None and number >= self.limit:
                break
            if self.rate:
                # Each request has its moment; one that is late does not delay the others.
                self._stopped.wait(max(0.0, self._clock + number / self.rate - time.monotonic()))
                if self._stopped.is_set():
                    break
            connection = self._request(connection, number, place, keeps)
        if connection:
            connection.close()

    def _address(self, number):
        """The next address, without those that did not take a connection in the last ten seconds, as a load balancer does it."""
        now = time.monotonic()
        up = [each for each in self.addresses if self._down.get(each, 0) < now] or self.addresses
        return up[number % len(up)]

    def _request(self, connection, number, place, keeps):
        """Sends one request; the connection for the next one, or None."""
        request, kept = self.mix[number % len(self.mix)], connection is not None
        address = connection.proof_address if connection else self._address(number + place)
        started = time.monotonic()
        try:
            if not connection:
                connection = self._connect(address)
            connection.request(request.method, request.path, request.body, self._headers(request, keeps))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            if connection:
                connection.close()
            # What a client that keeps connections has to do: this one was closed while it was idle. Only a byte of an answer would
            # say that the request had been taken.
            if kept and isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
                with self._lock:
                    self.resent += 1
                return self._request(None, number, place, keeps)
            with self._lock:
                self.failures.append(Failure(time.time(), f"{type(error).__name__}: {error}", address, kept))
            return None
        seconds = time.monotonic() - started
        got = Answer(time.time(), request.method, request.route, answer.status, answer.getheader("X-Trace-Id"), kept, seconds)
        with self._lock:
            self.answers.append(got)
            if answer.status != request.status:
                self.failures.append(Failure(got.at, f"{request.path}: {answer.status} for {request.status}", address, kept))
        if keeps and not answer.will_close:
            return connection
        connection.close()
        return None

    def _connect(self, address):
        host, port = address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=self.timeout)
        try:
            self._ports.connect(connection)
        except OSError:
            with self._lock:
                self._down[address] = time.monotonic() + 10
            raise
        connection.proof_address = address
        with self._lock:
            self.connections += 1
        return connection

    def _headers(self, request, keeps):
        headers = {"User-Agent": self.marker, "Connection": "keep-alive" if keeps else "close"}
        return headers | ({"Content-Type": "application/json"} if request.body else {})
