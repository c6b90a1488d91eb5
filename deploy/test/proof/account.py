"""What was sent, what Prometheus counted and what Loki has, in the same words."""

import collections
import json
import time

from . import engines
from .settings import APP, CLIENTS_ONLY, NAMESPACE

Line = collections.namedtuple("Line", "at pod node method route status trace_id")


# What one process of a pod counted since the start, and its last scrape: when it began, and how many seconds it took.
Process = collections.namedtuple("Process", "counted last took")
# Prometheus shifts the moments of scrapes by some milliseconds, so that they are stored in less.
SHIFT = 0.005


def increments(samples, start):
    """What a counter of these samples (moment, value) counted after `start`, as (moment, count). A value that is lower than the one
    before is one of a new process, which began at 0; a series without a sample before `start` did too."""
    before, found = 0.0, []
    for at, value in samples:
        if at > start:
            found.append((at, value - before if value >= before else value))
        before = value
    return found


def epochs(started, took):
    """The scrapes of each process of a pod, oldest first, as (first, last, seconds that the last one took): `started` says with which
    moment of its start each scrape was answered, in seconds. Only answered scrapes are in it."""
    found, before = [], None
    for at, value in started:
        if before is None or abs(value - before) > 5:
            found.append([at, at, 0.0])
        found[-1][1:] = at, took.get(at, 0.0)
        before = value
    return found


class Counted:
    """Counters of every pod from `start` to now. `by_pod` has requests by (method, route, status), `processes` each pod's processes."""

    def __init__(self, start, app=APP):
        now = time.time()
        # One scrape and some more before the start, as the value to begin with.
        self.window, self.now = f"[{int(now - start) + 60}s]", now
        self.selector = f'{{app="{app}", namespace="{NAMESPACE}"'
        self.by_pod, self.processes = collections.defaultdict(collections.Counter), {}
        took = {pod: dict(samples) for pod, samples in self._samples("scrape_duration_seconds")}
        parts = {pod: epochs(samples, took.get(pod, {})) for pod, samples in self._samples("process_start_time_seconds")}
        sums = {pod: [0] * len(found) for pod, found in parts.items()}
        for labels, samples in self._series("http_requests_total", f", {CLIENTS_ONLY}"):
            pod = labels["pod"]
            for at, count in increments(samples, start):
                self.by_pod[pod][labels["method"], labels["route"], labels["status"]] += round(count)
                for place, (first, last, _) in enumerate(parts.get(pod, [])):
                    if first <= at <= last:
                        sums[pod][place] += round(count)
        self.by_pod = {pod: +kinds for pod, kinds in self.by_pod.items() if +kinds}
        for pod, found in parts.items():
            self.processes[pod] = [Process(count, last, seconds) for count, (_, last, seconds) in zip(sums[pod], found)]

    def _series(self, name, more=""):
        for series in engines.prometheus(f"{name}{self.selector}{more}}}{self.window}", self.now):
            yield series["metric"], [(float(at), float(value)) for at, value in series["values"]]

    def _samples(self, name):
        return [(labels["pod"], samples) for labels, samples in self._series(name)]

    def total(self):
        return sum(self.by_pod.values(), collections.Counter())

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


def until_moment(found, pod, moment):
    """Lines of a pod until a moment."""
    return sum(1 for line in found if line.pod == pod and line.at <= moment)


def seen_bounds(found, pod, process):
    """At least and at most how many requests the last scrape of a pod's first process saw: those whose line is older. What was counted
    while it was being answered may be in it or not."""
    return until_moment(found, pod, process.last - SHIFT), until_moment(found, pod, process.last + process.took + SHIFT)
