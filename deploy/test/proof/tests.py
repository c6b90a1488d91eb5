"""Tests of sums and steps: python3 -m unittest proof.tests proof.tests_load, in deploy/test."""

import importlib
import io
import json
import re
import tempfile
import unittest
from contextlib import redirect_stdout
from unittest import mock

from . import account, checks, dashboards, engines, kube, report, settings
from . import node as node_step
from .__main__ import STEPS


class Increments(unittest.TestCase):
    def counted(self, samples, start):
        return sum(count for _, count in account.increments(samples, start))

    def test_counts_what_came_after_the_start(self):
        self.assertEqual(account.increments([(1, 5), (2, 7), (3, 9)], 1.5), [(2, 2), (3, 2)])

    def test_a_new_series_began_at_zero(self):
        self.assertEqual(self.counted([(2, 3), (3, 4)], 1), 4)

    def test_a_process_that_began_again_counts_from_zero(self):
        self.assertEqual(self.counted([(1, 5), (2, 8), (3, 2), (4, 6)], 1), 3 + 6)

    def test_nothing_after_the_start(self):
        self.assertEqual(self.counted([(1, 5)], 2), 0)


class Ends(unittest.TestCase):
    def lines(self, *moments):
        return [account.Line(at, "a", "n", "GET", "/", "200", str(at)) for at in moments]

    def odd(self, found, *processes, ended=None):
        return list(checks.unexplained(found, "a", list(processes), ended))

    def test_scrapes_are_of_the_process_that_answered_them(self):
        started = [(10, 3.0), (25, 3.0), (40, 33.0), (55, 33.0)]
        self.assertEqual(account.epochs(started, {25: 0.2, 55: 0.1}), [[10, 25, 0.2], [40, 55, 0.1]])

    def test_what_is_younger_than_the_last_scrape_is_not_counted(self):
        found = self.lines(1, 4.9, 5.05, 6)
        for counted in (2, 3):
            self.assertEqual(self.odd(found, account.Process(counted, 5, 0.1)), [])
        for counted, above in ((1, 0), (5, 2)):
            [(said, more)] = self.odd(found, account.Process(counted, 5, 0.1))
            self.assertIn(f"{counted} counted, 2 to 3", said)
            self.assertEqual(more, above)

    def test_of_another_pod_nothing_is_said(self):
        self.assertEqual(list(checks.unexplained(self.lines(1), "b", [account.Process(0, 5, 0.1)], None)), [])

    def test_the_process_after_the_killed_one_counts_everything(self):
        found = self.lines(1, 3, 6, 9, 10)
        old = account.Process(2, 4, 0.1)
        self.assertEqual(self.odd(found, old, account.Process(2, 12, 0.1), ended=7), [])
        for second in ([account.Process(1, 12, 0.1)], []):
            [(said, more)] = self.odd(found, old, *second, ended=7)
            self.assertIn("of the new process, 2 to 2 lines", said)
            self.assertEqual(more, 0)

    def test_only_lost_lines_explain_what_was_counted_above_the_lines(self):
        found = self.lines(1, 2, 3)
        for counted, lost, passes in ((3, 0, True), (4, 0, False), (4, 1, True), (5, 1, False), (2, 1, False)):
            step = mock.Mock()
            checks.ended_processes(step, found, {"a": [account.Process(counted, 5, 0.1)]}, None, lost)
            self.assertEqual(all(call.args[0] for call in step.expect.call_args_list), passes, (counted, lost))


class Pages(unittest.TestCase):
    def test_lines_of_one_moment_that_two_pages_share_are_had_once(self):
        stored = [(at, f"line {number}") for number, at in enumerate((1, 2, 3, 3, 3, 4, 5, 5))]

        def ask(_service, _path, start=0, end=0, limit=0, **_):
            page = [[str(at), text] for at, text in stored if start <= at < end][:limit]
            return json.dumps({"data": {"result": [{"stream": {"pod": "a"}, "values": page}]}})

        with mock.patch.object(engines, "ask", ask), mock.patch.object(engines, "PAGE", 4):
            found = engines.loki_lines("{}", 0, 1)
        self.assertEqual([(at, text) for at, _, text in found], stored)


class Steps(unittest.TestCase):
    def test_each_step_can_be_called_and_is_offered(self):
        run = (settings.ROOT / "deploy/test/run").read_text(encoding="utf-8")
        offered = re.search(r"^all=\((.*)\)$", run, re.MULTILINE).group(1).split()
        self.assertEqual(sorted(offered), sorted(STEPS))
        for module in STEPS.values():
            found = importlib.import_module(f".{module}", __package__)
            self.assertTrue(found.TITLE and callable(found.run), module)

    def test_a_claim_that_is_not_so_fails_the_step_and_is_in_the_report(self):
        with tempfile.NamedTemporaryFile("r") as file, mock.patch.object(report, "REPORT", file.name), redirect_stdout(io.StringIO()):
            step = report.Step("counts", "a title")
            step.figure("pods", "a|b")
            step.expect(True, "this")
            self.assertEqual((step.end(), step.faults), (0, []))
            step.expect(False, "that")
            self.assertEqual(step.end(), 1)
            self.assertIn("FAILED: that", file.read())

    def test_the_node_that_dies_has_pods_and_nothing_that_the_proof_needs(self):
        def node(name, **labels):
            return {"metadata": {"name": name, "labels": {each.replace("_", "-"): "" for each in labels}}}

        there = [node("one", redpane_proof=1), node("two"), node("three"), {"metadata": {"name": "four", "labels": {"node-role.kubernetes.io/control-plane": ""}}}]
        pods = [{"spec": {"nodeName": name}} for name in ("one", "one", "one", "two", "two", "three", "four")]
        dns = {"items": [{"spec": {"nodeName": "two"}}]}
        for items, dies in (([], "two"), (dns["items"], "three")):
            with mock.patch.object(node_step, "nodes", lambda: there), mock.patch.object(node_step, "kubectl", lambda *_: json.dumps({"items": items})):
                self.assertEqual(node_step.victim(pods), dies)
        with mock.patch.object(node_step, "nodes", lambda: there[:1]), mock.patch.object(node_step, "kubectl", lambda *_: json.dumps(dns)):
            self.assertRaises(kube.Failed, node_step.victim, pods)


class Queries(unittest.TestCase):
    def test_no_variable_is_left_in_any_query(self):
        found = list(dashboards.targets("0" * 32))
        self.assertGreater(len(found), 80)
        self.assertEqual([each for each in found if "$" in each[3].replace("$1", "").replace("$level :=", "")], [])
        # Nor the end of one that begins like another: `15m_s` where `$__range_s` was.
        self.assertEqual([each for each in found if re.search(r"\d[smh]_", each[3])], [])


if __name__ == "__main__":
    unittest.main()
