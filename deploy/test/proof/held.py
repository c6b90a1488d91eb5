"""What an HPA has chosen stays through upgrades, and an upgrade that fails finds its way back."""

import json

from .hpa import RELEASE, image, replicas
from .kube import CHART, Failed, get, helm, installed, kubectl, ready, until, upgrade

LEAST, CHOSEN = 1, 2


def least(number):
    kubectl("patch", "hpa", RELEASE, "--patch", json.dumps({"spec": {"minReplicas": number}}))


def container():
    return get("deployment", RELEASE)["spec"]["template"]["spec"]["containers"][0]


def check(step):
    if not helm("version", "--short").startswith("v4"):
        # It patches on the client, and a rollback sets what was then.
        step.note("Helm 3 takes the HPA's number back with a release: not judged")
        return
    values = [f"autoscaling.enabled=true,autoscaling.minReplicas={LEAST},autoscaling.maxReplicas=4", *image()]
    with installed(RELEASE, "grafana.dashboards.enabled=false,grafana.alerts.enabled=false", *values):
        upgrade(RELEASE)
        # Without metrics too, an HPA keeps to its bounds, and does not scale down.
        least(CHOSEN)
        until("the HPA has scaled", 90, lambda: replicas() == CHOSEN and len(ready(RELEASE)) == CHOSEN)
        least(LEAST)
        survives(step)


def survives(step):
    right = container()["image"]
    try:
        helm("upgrade", RELEASE, CHART, "--reuse-values", "--set", "image.tag=there-is-none", "--rollback-on-failure", "--timeout", "20s")
        said = ""
    except Failed as error:
        said = str(error)
    conflict = next((line for line in said.splitlines() if "conflict" in line), "")
    step.expect(said and container()["image"] == right, f"an upgrade that fails is rolled back beside an HPA {conflict}".strip())
    upgrade(RELEASE, "podAnnotations.proof=again")
    # A revision from before the HPA scaled.
    helm("rollback", RELEASE, "2")
    step.expect(replicas() == CHOSEN, "so many pods as the HPA has chosen, through an upgrade and both rollbacks")
