"""helm test, a bad value, an image that does not exist, and the way back."""

import json
import time

from . import held
from .checks import all_ready, sent, steady
from .kube import Failed, get, helm, kubectl, ready, upgrade, until
from .settings import APP, REPLICAS

TITLE = "helm test, refusals and the way back"
BAD = [("replicas=many", "replicas"), ("resources.limits.memory=8Mi", "resources.limits.memory"), ("repicas=3", "repicas")]


def revision():
    return json.loads(helm("history", APP, "--max", "1", "--output", "json"))[-1]["revision"]


def state():
    """What must not change: the release, and the Deployment that Kubernetes has."""
    deployment = get("deployment", APP)
    return revision(), deployment["metadata"]["generation"], sorted(pod["metadata"]["uid"] for pod in ready())


def run(step):
    all_ready()
    said = helm("test", APP, "--logs")
    line = next((line for line in said.splitlines() if "trace id" in line), "")
    step.figure("helm test", line.strip())
    step.expect("Phase:" in said and "Succeeded" in said and line, "helm test passes")
    before = state()
    for value, name in BAD:
        try:
            upgrade(APP, value)
            refusal = ""
        except Failed as error:
            refusal = str(error)
        step.expect(name in refusal, f"helm upgrade with {value} is refused by its name")
    step.expect(state() == before, "release, Deployment and pods are what they were")
    way_back(step, before)
    held.check(step)


def way_back(step, before):
    """An image that nobody has: the old pods stay, nobody notices, and a rollback ends it."""
    load = steady(f"proof-release-{int(time.time())}")
    upgrade(APP, "image.tag=there-is-none", "image.pullPolicy=IfNotPresent")
    until("a pod cannot get its image", 90, waits_for_image)
    step.expect(len(ready()) == REPLICAS, f"{REPLICAS} pods are ready while the new ones cannot start")
    helm("rollback", APP, str(before[0]))
    kubectl("rollout", "status", f"deployment/{APP}", "--timeout=5m", timeout=320)
    until("only the old pods are there", 120, lambda: state()[2] == before[2])
    load.stop()
    sent(step, load)
    step.expect(not load.failures, f"no request failed {[each.why for each in load.failures[:3]] or ''}".strip())
    step.expect(True, "after the rollback the same pods as before")


def waits_for_image():
    for pod in get("pods", "--selector", f"app.kubernetes.io/instance={APP}")["items"]:
        for container in pod["status"].get("containerStatuses", []):
            if container["state"].get("waiting", {}).get("reason") in ("ErrImagePull", "ImagePullBackOff"):
                return True
    return False
