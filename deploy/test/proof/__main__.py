"""python3 -m proof STEP: one step, as deploy/test/run calls it. 0: passed, 1: failed."""

import importlib
import subprocess
import sys

from .kube import Failed
from .report import Step, fail

STEPS = {"counts": "counts", "rolling": "rolling", "pod": "pod", "node": "node", "hpa": "hpa", "helm": "release", "dashboards": "dashboards"}


def main(name):
    module = importlib.import_module(f".{STEPS[name]}", __package__)
    step = Step(name, module.TITLE)
    try:
        module.run(step)
    except (Failed, subprocess.TimeoutExpired) as error:
        return fail(error, step)
    return step.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
