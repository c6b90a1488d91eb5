"""The process of one pod is killed."""

import calendar
import json
import time

from . import account
from .checks import all_ready, counters_are_lines, lost_lines, restarts, sent, steady
from .kube import get, kubectl, until

TITLE = "SIGKILL of one pod's process under load"
# A line is in the process's memory until its writer thread has the processor; Kubernetes says when it ended in whole seconds.
LOST_SECONDS = 1
# The pod that kills sees the processes of its node. Nothing inside of the pod could: to signals from inside, the first process is deaf.
SCRIPT = """
for each in /proc/[0-9]*; do
  if grep -q "$POD" "$each/cgroup" 2>/dev/null && [ "$(cat "$each/comm")" = "$PROCESS" ]; then
    kill -9 "${each#/proc/}" && echo "killed at $(date +%s)" && exit 0
  fi
done
echo "no process $PROCESS of $POD" >&2
exit 1
"""


def killer(victim, process):
    uid = victim["metadata"]["uid"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "killer"},
        "spec": {
            "restartPolicy": "Never",
            "hostPID": True,
            "nodeName": victim["spec"]["nodeName"],
            "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "kill",
                "image": "busybox:1.37.0",
                "command": ["/bin/sh", "-c", SCRIPT],
                # systemd writes the id with underscores.
                "env": [{"name": "POD", "value": uid.replace("-", "[-_]")}, {"name": "PROCESS", "value": process}],
                "resources": {"limits": {"memory": "32Mi"}},
            }],
        },
    }


def kill(victim, process="redpane"):
    """Ends the process with SIGKILL from the node."""
    kubectl("delete", "pod", "killer", "--ignore-not-found", "--wait=true")
    kubectl("apply", "--filename", "-", stdin=json.dumps(killer(victim, process)))
    until("the killer has ended", 90, lambda: get("pod", "killer")["status"]["phase"] in ("Succeeded", "Failed"), 0.5)
    said = kubectl("logs", "killer").strip()
    phase = get("pod", "killer")["status"]["phase"]
    kubectl("delete", "pod", "killer", "--wait=false")
    if phase != "Succeeded":
        raise RuntimeError(f"nothing was killed: {said}")


def end_of(name):
    """Exit code of the container before this one, and the second in which it ended; None as long as there was none."""
    state = get("pod", name)["status"]["containerStatuses"][0]["lastState"].get("terminated")
    return state and (state["exitCode"], calendar.timegm(time.strptime(state["finishedAt"], "%Y-%m-%dT%H:%M:%SZ")))


def run(step):
    pods, _ = all_ready()
    victim = pods[0]
    name = victim["metadata"]["name"]
    before = restarts(pods)
    marker = f"proof-pod-{int(time.time())}"
    load = steady(marker)
    # So that the pod was scraped with requests in it.
    time.sleep(20)
    kill(victim)
    killed = time.monotonic()
    (code, ended), _ = until("the container has ended", 60, lambda: end_of(name), 0.2)
    pods, _ = all_ready()
    step.figure("ready again", f"{time.monotonic() - killed:.1f} s after its end was seen")
    time.sleep(20)
    load.stop()
    step.expect(code == 137, f"exit code {code}, that of SIGKILL")
    step.expect(restarts(all_ready()[0]) == before + 1, "the container was restarted, the others were not")
    sent(step, load)
    step.figure("failures", summary(load.failures))
    found = account.until_all_are_there(load, marker, 30)
    step.figure("lines in Loki", len(found))
    ids, lost = lost_lines(step, load, found, ended - LOST_SECONDS, ended + 1, "the last second of the process")
    foreign = ids - {answer.trace_id for answer in load.answers}
    step.figure("lines of requests that got no answer", len(foreign))
    step.expect(len(foreign) <= len(load.failures) + load.resent, "no more of them than failures and requests sent again")
    counters_are_lines(step, load, found, gone={name}, ended=ended, lost=len(lost))


def summary(failures):
    """Failures by what they said."""
    kinds = {}
    for each in failures:
        kinds[each.why.split(":")[0]] = kinds.get(each.why.split(":")[0], 0) + 1
    return ", ".join(f"{count} {why}" for why, count in sorted(kinds.items())) or "none"
