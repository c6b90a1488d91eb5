"""Figures and verdicts of a step: printed, and added to the report in Markdown."""

import sys
import time

from .settings import REPORT


class Step:
    def __init__(self, name, title):
        self.name, self.title, self.rows, self.faults = name, title, [], []
        self.began = time.monotonic()
        print(f"\n== {name}: {title}", flush=True)

    def figure(self, what, value):
        self.rows.append((what, value))
        print(f"   {what}: {value}", flush=True)

    def expect(self, is_so, what):
        """A claim of the step; one that is not so fails it and is said."""
        mark = "yes" if is_so else "NO"
        self.rows.append((what, mark))
        print(f"   {what}: {mark}", flush=True)
        if not is_so:
            self.faults.append(what)

    def note(self, text):
        print(f"   ({text})", flush=True)

    def end(self):
        """Writes the verdict; 0, or 1 where a claim was not so."""
        verdict = "passed" if not self.faults else "FAILED: " + "; ".join(self.faults)
        print(f"   {self.name} {verdict}, {time.monotonic() - self.began:.0f} s", flush=True)
        if REPORT:
            with open(REPORT, "a", encoding="utf-8") as report:
                report.write(f"\n## {self.name}: {self.title}\n\n{verdict}\n\n| | |\n|---|---|\n")
                report.writelines(f"| {what} | {str(value).replace('|', chr(92) + '|')} |\n" for what, value in self.rows)
        return 1 if self.faults else 0


def fail(error, step):
    """A step that could not go on: with what it had found until then."""
    step.faults.append(str(error))
    print(f"   {error}", file=sys.stderr, flush=True)
    return step.end()
