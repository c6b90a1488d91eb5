"""The HorizontalPodAutoscaler scales on requests a second."""

import json
import time

from .checks import addresses
from .kube import Failed, get, helm, installed, kubectl, ready, until
from .load import Load
from .settings import NAMESPACE

TITLE = "scaling on requests a second"
RELEASE = "scaled"
TARGET, LEAST, MOST, RATE = 5, 2, 8, 40


def values():
    return [
        "service.type=NodePort", "grafana.dashboards.enabled=false", "grafana.alerts.enabled=false", "settings.REDPANE_FAULTS=true",
        "autoscaling.enabled=true", f"autoscaling.minReplicas={LEAST}", f"autoscaling.maxReplicas={MOST}",
        "autoscaling.cpuPercent=null", f"autoscaling.requestsPerSecond={TARGET}",
        # Five minutes of less would be waited for.
        "autoscaling.behavior.scaleDown.stabilizationWindowSeconds=15",
        *image(),
    ]


def image():
    """The image of the other release."""
    given = json.loads(helm("get", "values", "api", "--output", "json")).get("image", {})
    return [f"image.{name}={value}" for name, value in given.items()]


def replicas():
    return get("deployment", RELEASE)["spec"].get("replicas", 0)


def seen():
    """Requests a second of each pod as the HPA was told them."""
    current = get("hpa", RELEASE)["status"].get("currentMetrics") or []
    return [each["pods"]["current"]["averageValue"] for each in current if each.get("type") == "Pods"]


def run(step):
    with installed(RELEASE, *values()):
        scale(step)


def scale(step):
    path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods/*/http_requests_per_second"
    until("the custom metrics API has the metric", 180, lambda: served(path))
    until("the HPA reads it", 120, seen)
    step.expect(replicas() == LEAST, f"{LEAST} pods without requests")
    load = Load(addresses(RELEASE), f"proof-hpa-{int(time.time())}", rate=RATE).start()
    wanted = min(MOST, RATE // TARGET)
    try:
        _, up = until(f"{wanted} pods are asked for", 240, lambda: replicas() >= wanted, 2)
        _, more = until(f"{wanted} pods are ready", 120, lambda: len(ready(RELEASE)) >= wanted, 2)
        step.figure(f"from {LEAST} to {wanted} pods at {RATE} requests a second", f"asked for after {up:.0f} s, ready {more:.0f} s later")
        step.figure("requests a second of each pod, as the HPA sees them", ", ".join(seen()))
    finally:
        load.stop()
    step.expect(not load.failures, f"no request failed of {len(load.answers)} {[each.why for each in load.failures[:3]] or ''}".strip())
    _, down = until(f"{LEAST} pods again", 300, lambda: replicas() == LEAST, 2)
    step.figure(f"back to {LEAST} pods", f"{down:.0f} s after the last request")
    step.expect(True, "up and down")


def served(path):
    try:
        return len(json.loads(kubectl("get", "--raw", path))["items"]) >= LEAST
    except Failed:
        return False
