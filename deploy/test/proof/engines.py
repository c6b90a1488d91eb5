"""Prometheus and Loki of the cluster, asked through the API server, so that no port of theirs has to be reached."""

import atexit
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .kube import Failed
from .settings import NAMESPACE

# Lines of one answer; Loki's own limit.
PAGE = 5000
_proxy = []


def _base():
    """The address of a `kubectl proxy`, which is started once."""
    if not _proxy:
        child = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        atexit.register(child.kill)
        found = re.search(r"127\.0\.0\.1:\d+", child.stdout.readline())
        if not found:
            raise Failed("kubectl proxy does not start")
        _proxy.append(f"http://{found.group()}")
    return _proxy[0]


def ask(service, path, method="GET", **parameters):
    """The answer of a Service of the proof, such as prometheus:9090."""
    query = urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None})
    url = f"{_base()}/api/v1/namespaces/{NAMESPACE}/services/{service}/proxy{path}?{query}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Failed(f"{service}{path}: {error.code} {error.read()[:500]!r} for {parameters}") from None
    except OSError as error:
        raise Failed(f"{service}{path}: {error}") from None


def prometheus(query, at=None):
    """Series of an instant query: dictionaries with `metric` and `value` or `values`."""
    return json.loads(ask("prometheus:9090", "/api/v1/query", query=query, time=at))["data"]["result"]


def loki(query, at=None):
    return json.loads(ask("loki:3100", "/loki/api/v1/query", query=query, time=at))["data"]["result"]


def loki_streams(selector, start, end):
    """Label sets of the streams between two moments, in seconds."""
    answer = ask("loki:3100", "/loki/api/v1/series", **{"match[]": selector, "start": int(start * 1e9), "end": int(end * 1e9)})
    return json.loads(answer)["data"]


def loki_lines(query, start, end):
    """Every line between two moments, in seconds: (nanoseconds, labels, text), oldest first."""
    lines, first, seen = [], int(start * 1e9), set()
    while True:
        answer = ask(
            "loki:3100", "/loki/api/v1/query_range", query=query, start=first, end=int(end * 1e9), limit=PAGE, direction="forward"
        )
        streams = json.loads(answer)["data"]["result"]
        page = sorted((int(at), tuple(sorted(each["stream"].items())), text) for each in streams for at, text in each["values"])
        fresh = [line for line in page if line not in seen]
        lines.extend((at, dict(labels), text) for at, labels, text in fresh)
        if len(page) < PAGE or not fresh:
            return lines
        # The next page begins with the lines of the last moment again.
        first = page[-1][0]
        seen = {line for line in page if line[0] == first}
