"""Requests = counters = lines, in all and for each pod, with the same labels in both engines."""

import time

from . import account, engines
from .checks import addresses, all_ready, counters_are_lines, every_answer_has_its_line, restarts, sent, spread
from .kube import kubectl, until
from .load import Load
from .settings import APP, NAMESPACE, REQUESTS

TITLE = "requests = counters = lines, exactly"
LABELS = ("app", "instance", "namespace", "pod", "node")


def run(step):
    pods, _ = all_ready()
    step.figure("pods on each node", spread(pods))
    step.expect(max(spread(pods).values()) - min(spread(pods).values()) <= 1, "spread evenly")
    marker = f"proof-counts-{int(time.time())}"
    load = Load(addresses(), marker, requests=REQUESTS).start().wait()
    sent(step, load)
    step.expect(not load.failures, f"no request failed {[each.why for each in load.failures[:3]] or ''}".strip())
    step.figure("requests a second", f"{len(load.answers) / (load.ended - load.began):.0f}")
    found = account.until_all_are_there(load, marker)
    lost, foreign = every_answer_has_its_line(step, load, found)
    step.expect(not foreign, "no line of a request that nobody sent")
    counted = counters_are_lines(step, load, found)
    answers = account.by_kind(load.answers)
    step.expect(answers == account.by_kind(found) == counted.total(), "sent = counted = logged, by method, route and status")
    step.expect(len(counted.by_pod) == len(pods), "every pod was sent requests")
    labels(step, pods)
    step.expect(restarts(pods) == 0, "no container was restarted")
    bucket(step, marker, load, {line.trace_id for line in found})


def labels(step, pods):
    """`app`, `instance`, `namespace`, `pod` and `node` have the same values in Prometheus, in Loki and in the cluster."""
    expected = {(APP, f"{pod['status']['podIP']}:8000", NAMESPACE, pod["metadata"]["name"], pod["spec"]["nodeName"]) for pod in pods}
    selector = f'{{app="{APP}", namespace="{NAMESPACE}"}}'
    found = [each["metric"] for each in engines.prometheus(f"redpane_build_info{selector}")]
    streams = engines.loki_streams(selector, time.time() - 3600, time.time())
    names = {name for stream in streams for name in stream}
    step.figure("labels of streams", ", ".join(sorted(names)))
    step.expect(names == {*LABELS, "container", "level"}, "they are app, instance, container, namespace, pod, node and level")
    for engine, sets in (("Prometheus", found), ("Loki", streams)):
        tuples = {tuple(each.get(label, "") for label in LABELS) for each in sets}
        # Pods of before may be among the streams.
        there = {each for each in tuples if each[3] in {pod[3] for pod in expected}}
        step.expect(there == expected, f"{', '.join(LABELS)} in {engine} are those of the pods")


def bucket(step, marker, load, before):
    """A Loki without a disk has the same lines: chunks and index are in the bucket."""
    engines.ask("loki:3100", "/flush", method="POST")
    old = kubectl("get", "pod", "loki-0", "--output", "jsonpath={.metadata.uid}")
    kubectl("delete", "pod", "loki-0", "--wait=true", timeout=200)

    def new():
        uid = kubectl("get", "pod", "loki-0", "--ignore-not-found", "--output", "jsonpath={.metadata.uid} {.status.containerStatuses[0].ready}")
        return uid and uid != f"{old} true" and uid.endswith(" true")

    until("a new Loki is ready", 180, new)
    after = {line.trace_id for line in account.until_all_are_there(load, marker, 120)}
    step.expect(after == before, "a new Loki without a disk has the same lines, from the bucket")
