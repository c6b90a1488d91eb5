"""What was sent, what Prometheus counted and what Loki has, in the same words."""

import collections
import json
import time

from . import engines
from .settings import APP, CLIENTS_ONLY, NAMESPACE

Line = collections.namedtuple("Line", "at pod node method route status trace_id")


def increase(samples, start):
    """What a counter of these samples (moment, value) counted after `start`. A value that is lower than the one before is one of a new
    process, which began at 0; a series without a sample before `start` did too."""
    before, counted = 0.0, 0.0
    for at, value in samples:
        if at > start:
            counted += value - before if value >= before else value
        before = value
    return counted


class Counted:
    """Counters of every pod from `start` to now. `by_pod` has requests by (method, route, status), `samples` each pod's scrapes
    that were answered: (moment, seconds that it took)."""

    def __init__(self, start, app=APP):
        now = time.time()
        # One scrape and some more before the start, as the value to begin with.
        window = f"[{int(now - start) + 60}s]"
        selector = f'{{app="{app}", namespace="{NAMESPACE}"'
        self.by_pod, self.samples = collections.defaultdict(collections.Counter), {}
        for series in engines.prometheus(f"http_requests_total{selector}, {CLIENTS_ONLY}}}{window}", now):
            labels = series["metric"]
            samples = [(float(at), float(value)) for at, value in series["values"]]
            found = round(increase(samples, start))
            if found:
                self.by_pod[labels["pod"]][labels["method"], labels["route"], labels["status"]] += found
        took = {}
        for series in engines.prometheus(f"scrape_duration_seconds{selector}}}{window}", now):
            took[series["metric"]["pod"]] = dict(series["values"])
        for series in engines.prometheus(f"up{selector}}}{window}", now):
            pod = series["metric"]["pod"]
            scrapes = [(float(at), float(took[pod].get(at, 0))) for at, up in series["values"] if up == "1"]
            self.samples[pod] = self.samples.get(pod, []) + scrapes

    def total(self):
        return sum((counter for counter in self.by_pod.values()), collections.Counter())

    def of(self, pod):
        return self.by_pod[pod].total() if pod in self.by_pod else 0


def lines(marker, start, app=APP):
    """The access lines of the requests whose client said it was `marker`."""
    template = "{{.trace_id}} {{.m}} {{.s}} {{.r}}"
    query = (
        f'{{app="{app}", namespace="{NAMESPACE}"}} |= {json.dumps(marker)}'
        f' | json m="method", r="route", s="status", u="user_agent" | u={json.dumps(marker)}'
        f" | line_format `{template}` | keep pod, node"
    )
    found = []
    for at, labels, text in engines.loki_lines(query, start - 5, time.time() + 5):
        trace_id, method, status, route = text.split(" ", 3)
        found.append(Line(at / 1e9, labels["pod"], labels["node"], method, route, status, trace_id))
    return found


def by_kind(records):
    """How many of each (method, route, status), of answers or of lines."""
    return collections.Counter((each.method, each.route, str(each.status)) for each in records)


def by_pod(found):
    return collections.Counter(line.pod for line in found)


def until_all_are_there(load, marker, seconds=90):
    """The lines, as soon as there is one for each answer; after `seconds` those that there are."""
    deadline = time.time() + seconds
    wanted = {answer.trace_id for answer in load.answers}
    while True:
        found = lines(marker, load.began)
        if wanted <= {line.trace_id for line in found} or time.time() > deadline:
            return found
        time.sleep(3)


def until_counted(load, seconds, enough):
    """The counters, as soon as `enough` says so; after `seconds` as they are."""
    deadline = time.time() + seconds
    while True:
        counted = Counted(load.began)
        if enough(counted) or time.time() > deadline:
            return counted
        time.sleep(3)


def between(found, pod, after):
    """Lines of a pod after a moment: what a counter whose last scrape was then does not have."""
    return sum(1 for line in found if line.pod == pod and line.at > after)


def unseen_bounds(found, pod, scrapes, until=None):
    """At least and at most how many of a pod's requests no scrape saw: those whose line is younger than the last scrape before `until`.
    What is counted while a scrape is being answered may be in it or not."""
    earlier = [each for each in scrapes if until is None or each[0] <= until]
    mine = [line for line in found if until is None or line.at <= until]
    if not earlier:
        return between(mine, pod, 0), between(mine, pod, 0)
    began, took = earlier[-1]
    return between(mine, pod, began + took), between(mine, pod, began)
