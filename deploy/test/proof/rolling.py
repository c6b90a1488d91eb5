"""A rolling update under load."""

import time

from . import account, engines
from .checks import all_ready, counters_are_lines, every_answer_has_its_line, replaced, sent, spread, steady
from .kube import kubectl, upgrade
from .settings import APP, NAMESPACE

TITLE = "a rolling update under load"


def run(step):
    pods, _ = all_ready()
    old = {pod["metadata"]["name"] for pod in pods}
    marker = f"proof-rolling-{int(time.time())}"
    load = steady(marker)
    time.sleep(5)
    began = time.monotonic()
    upgrade(APP, f"podAnnotations.proof=at-{int(time.time())}")
    kubectl("rollout", "status", f"deployment/{APP}", "--timeout=10m", timeout=620)
    rolled = time.monotonic() - began
    replaced(old)
    ended = time.monotonic() - began
    time.sleep(5)
    load.stop()
    pods, _ = all_ready()
    step.figure("new pods ready after", f"{rolled:.0f} s; the last old one gone after {ended:.0f} s")
    step.figure("pods on each node", spread(pods))
    step.expect(not old & {pod["metadata"]["name"] for pod in pods}, "every pod is a new one")
    sent(step, load)
    step.expect(not load.failures, f"no request failed {[each.why for each in load.failures[:3]] or ''}".strip())
    found = account.until_all_are_there(load, marker)
    lost, foreign = every_answer_has_its_line(step, load, found)
    step.expect(not foreign, "no line of a request that nobody sent")
    # Each old pod waited for its last scrape.
    query = f'{{app="{APP}", namespace="{NAMESPACE}"}} |= "the last scrape did not come"'
    late = [labels["pod"] for _, labels, _ in engines.loki_lines(query, load.began, time.time())]
    step.expect(not late, f"every old pod was read once more {late or ''}".strip())
    counters_are_lines(step, load, found)
