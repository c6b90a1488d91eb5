"""Ports that connections come from, each once in some minutes."""

import errno
import itertools
import threading
import time

# Those that Linux hands out itself.
PORTS = range(32768, 61000)
# More than any step opens in a second.
A_SECOND = 100


class SourcePorts:
    """Linux hands out ports from another place every ten seconds, and the pieces may overlap. For a Service's NAT that is a second
    connection of the same addresses and ports: it is sent where the first one was, and where nobody answered that one, for two
    minutes (nf_conntrack_tcp_timeout_syn_sent). So requests would fail long after a dead node's addresses are out of the Services."""

    def __init__(self):
        # Behind those of a step that has ended a moment ago.
        begin = int(time.time() * A_SECOND) % len(PORTS)
        self._ports = itertools.cycle(itertools.chain(PORTS[begin:], PORTS[:begin]))
        self._lock = threading.Lock()

    def _next(self):
        with self._lock:
            return next(self._ports)

    def connect(self, connection):
        """Connects an http.client.HTTPConnection from the next port that is free."""
        for _ in PORTS:
            connection.source_address = ("", self._next())
            try:
                return connection.connect()
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                    raise
        raise OSError(errno.EADDRINUSE, "no port is free")
