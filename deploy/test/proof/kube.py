"""kubectl and helm."""

import contextlib
import json
import subprocess
import time

from .settings import APP, NAMESPACE, ROOT

CHART = str(ROOT / "deploy/helm/redpane")


class Failed(Exception):
    """A command that ended badly; its text is what the command said."""


def run(*command, stdin=None, timeout=300):
    """Standard output of a command."""
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=timeout, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command[:6])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def kubectl(*arguments, stdin=None, timeout=300):
    return run("kubectl", "--namespace", NAMESPACE, *arguments, stdin=stdin, timeout=timeout)


def get(*arguments):
    return json.loads(kubectl("get", *arguments, "--output", "json"))


def helm(*arguments, timeout=600):
    return run("helm", "--namespace", NAMESPACE, *arguments, timeout=timeout)


def sets(values):
    return [text for value in values for text in ("--set", value)]


@contextlib.contextmanager
def installed(release, *values):
    """A release as long as it is needed."""
    helm("upgrade", "--install", release, CHART, *sets(values), "--wait", "--timeout", "5m")
    try:
        yield
    finally:
        helm("uninstall", release, "--wait")


def upgrade(release=APP, *values):
    """A change of a few values of a release; the others stay."""
    return helm("upgrade", release, CHART, "--reuse-values", *sets(values))


def pods(release=APP):
    """Pods of a release that are there, those that are ending too."""
    return get("pods", "--selector", f"app.kubernetes.io/instance={release}")["items"]


def is_ready(pod):
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def ready(release=APP):
    return [pod for pod in pods(release) if is_ready(pod)]


def nodes():
    return get("nodes")["items"]


def address_of(node):
    return next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")


def node_port(release=APP):
    return get("service", release)["spec"]["ports"][0]["nodePort"]


def until(what, seconds, condition, pause=1.0):
    """The first result of `condition` that is true, and how long it took. Raises Failed with what it was waiting for."""
    start = time.monotonic()
    while True:
        found = condition()
        if found:
            return found, time.monotonic() - start
        if time.monotonic() - start > seconds:
            raise Failed(f"after {seconds} s still not: {what}")
        time.sleep(pause)
