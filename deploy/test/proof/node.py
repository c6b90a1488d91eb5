"""A node dies."""

import json
import subprocess
import time

from . import account
from .checks import all_ready, counters_are_lines, lost_lines, sent, spread, steady
from .kube import Failed, address_of, get, kubectl, is_ready, nodes, ready, run as command, until
from .pod import summary
from .settings import KILL_NODE, REPLICAS, START_NODE

TITLE = "a node dies under load"
# A collector sends what it has every 500 ms and looks at files every 250 ms: with a node go the lines of its last moments.
LOST_SECONDS = 3


def is_container(name):
    return subprocess.run(["docker", "inspect", name], capture_output=True, check=False).returncode == 0


def commands(name):
    """How the node is ended and started again."""
    if KILL_NODE:
        return [*KILL_NODE.split(), name], [*START_NODE.split(), name] if START_NODE else None
    if is_container(name):
        return ["docker", "kill", name], ["docker", "start", name]
    raise Failed(f"nobody knows how to end the node {name}: set REDPANE_TEST_KILL_NODE (and REDPANE_TEST_START_NODE) to a command")


def victim(pods):
    """The node with the most pods that has neither the engines nor the control plane; rather one without the cluster's only DNS."""
    spare = []
    for node in nodes():
        labels = node["metadata"]["labels"]
        if "redpane-proof" not in labels and "node-role.kubernetes.io/control-plane" not in labels:
            spare.append(node["metadata"]["name"])
    on, dns = spread(pods), with_dns()
    found = [name for name in on if name in spare]
    if not found:
        raise Failed("no node has pods, and neither engines nor the control plane")
    return max(found, key=lambda name: (name not in dns, on[name]))


def with_dns():
    pods = json.loads(kubectl("get", "pods", "--namespace", "kube-system", "--selector", "k8s-app=kube-dns", "--output", "json"))["items"]
    return {pod["spec"].get("nodeName") for pod in pods}


def is_up(name):
    conditions = {each["type"]: each["status"] for each in get("node", name)["status"]["conditions"]}
    return conditions["Ready"] == "True"


def run(step):
    pods, _ = all_ready()
    node = victim(pods)
    kill, start = commands(node)
    address = address_of(next(each for each in nodes() if each["metadata"]["name"] == node))
    on_it = {pod["metadata"]["name"] for pod in pods if pod["spec"]["nodeName"] == node}
    step.figure("node", f"{node}, with {len(on_it)} of {len(pods)} pods")
    if with_dns() == {node}:
        step.note("the cluster's only DNS is on it: a collector that begins meanwhile finds no Loki")
    marker = f"proof-node-{int(time.time())}"
    load = steady(marker, timeout=3.0)
    time.sleep(20)
    command(*kill)
    died, clock = time.time(), time.monotonic()
    _, noticed = until("the cluster notices", 180, lambda: not is_up(node))

    def elsewhere():
        there = [pod for pod in ready() if pod["spec"]["nodeName"] != node]
        return len(there) == REPLICAS and there

    pods, _ = until(f"{REPLICAS} pods are ready on the others", 400, elsewhere)
    again = time.monotonic() - clock
    time.sleep(10)
    load.stop()
    step.figure("noticed (NotReady) after", f"{noticed:.0f} s")
    step.figure(f"{REPLICAS} pods ready on the other nodes after", f"{again:.0f} s: {spread(pods)}")
    step.expect(again < 150, "in less than 150 s")
    sent(step, load)
    # A balancer in front of the nodes tries a dead one again and again, as this load does.
    own = [each for each in load.failures if each.address.rsplit(":", 1)[0] == address]
    others = [each for each in load.failures if each not in own]
    last = max((each.at for each in others), default=died)
    step.figure("failures at the node's own address", summary(own))
    step.figure("failures at the addresses of the others", f"{summary(others)}; the last one {last - died:.0f} s after the end")
    late = [each for each in others if each.at - died >= noticed + 15]
    for each in late[:5]:
        step.note(f"{each.at - died:.0f} s after the end, at {each.address}, connection kept before: {each.kept}: {each.why}")
    step.expect(not late, "none any more once the node's addresses are out of the Services")
    losses(step, load, account.until_all_are_there(load, marker, 30), marker, on_it, died, (node, start))


def back_to_normal(on_it):
    pods = get("pods")["items"]
    return all(is_ready(pod) for pod in pods) and not on_it & {pod["metadata"]["name"] for pod in pods}


def losses(step, load, found, marker, on_it, died, back):
    ids, lost = lost_lines(step, load, found, died - LOST_SECONDS, died + 1, f"its last {LOST_SECONDS} s")
    rate = len([line for line in found if line.pod in on_it and line.at < died]) / (died - load.began)
    step.figure("lines lost with the node", f"{len(lost)}, of {rate:.0f} a second that it wrote")
    counters_are_lines(step, load, found, gone=on_it, lost=len(lost))
    node, start = back
    if not start:
        step.note("nothing starts the node again: REDPANE_TEST_START_NODE")
        return
    command(*start)
    _, seconds = until("the node is ready again", 300, lambda: is_up(node))
    step.figure("the node is ready again", f"{seconds:.0f} s after its start")
    until("what was on it is gone, and everything is ready", 300, lambda: back_to_normal(on_it))
    late = {line.trace_id for line in account.lines(marker, load.began)} - ids
    step.figure("lines that came with it", f"{len(late)} of {len(lost)}")
