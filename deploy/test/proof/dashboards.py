"""Every query of every panel, asked of the cluster's Prometheus and Loki; and the table of instances knows pods and nodes."""

import json
import time

from . import engines
from .checks import all_ready, spread, steady
from .kube import Failed
from .load import MIX, Request
from .settings import APP, NAMESPACE, ROOT, SCRAPE_INTERVAL

TITLE = "the queries of the dashboards' panels have data"
FOLDER = ROOT / "grafana/dashboards"
# Lists of what a healthy service need not have, streams, which this one has none of, and what Tempo makes, which is not in this cluster.
MAY_BE_EMPTY = {"Alerts delivered", "Calls", "Failed calls", "How long streams last"}
PANIC = Request("GET", "/faults/panic", None, "/faults/panic", 500)
# Rows about parts of the bundle which are not in this cluster, or collected elsewhere: what they ask is not judged here.
ELSEWHERE = {"stack.json"}
LOAD_SECONDS = 100
RANGE_SECONDS = 900


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def substitute(query, trace_id):
    """Drop-downs at *All* but `app`, text boxes empty or with a trace id, and Grafana's own variables."""
    values = {
        # Longer names first: one may begin like another.
        "$__rate_interval": f"{4 * SCRAPE_INTERVAL}s", "$__range_s": str(RANGE_SECONDS), "$__range": f"{RANGE_SECONDS}s", "$__interval": f"{SCRAPE_INTERVAL}s",
        "$app": APP, "$instance": ".*", "$route": ".*", "$level": ".*", "$status": ".*", "$search": "", "$trace_id": trace_id,
    }
    for name, value in values.items():
        query = query.replace(name, value)
    return query


def targets(trace_id):
    """Dashboard, title of the panel, data source, query."""
    for file in sorted(FOLDER.glob("*.json")):
        for panel in panels(json.loads(file.read_text(encoding="utf-8"))):
            for target in panel.get("targets", []):
                source = (target.get("datasource") or panel.get("datasource") or {}).get("uid")
                if source in ("prometheus", "loki") and target.get("expr"):
                    yield file.name, panel["title"], source, substitute(target["expr"], trace_id)


def rows(source, query):
    """How many series or lines a query gives. Raises Failed for what the engine refuses, and for a result that is no number."""
    if source == "prometheus":
        found = engines.prometheus(query)
    elif query.lstrip().startswith("{"):
        return len(engines.loki_lines(query, time.time() - RANGE_SECONDS, time.time()))
    else:
        found = engines.loki(query)
    if any(each["value"][1] == "NaN" for each in found):
        raise Failed("NaN")
    return len(found)


def run(step):
    pods, _ = all_ready()
    load = steady(f"proof-dashboards-{int(time.time())}", mix=[*MIX, PANIC])
    time.sleep(LOAD_SECONDS)
    asked, elsewhere, wrong = {}, {}, []
    try:
        for file, title, source, query in targets(load.answers[0].trace_id):
            try:
                said = "" if rows(source, query) or title in MAY_BE_EMPTY else "no data"
            except Failed as error:
                said = str(error)
            if file in ELSEWHERE:
                elsewhere[title] = elsewhere.get(title, True) and not said
                continue
            asked[file] = asked.get(file, 0) + 1
            if said:
                wrong.append(f"{file} / {title}: {said}: {query}")
        instances(step, pods)
    finally:
        load.stop()
    step.figure("queries asked", ", ".join(f"{count} of {file}" for file, count in asked.items()))
    for each in wrong:
        step.note(each)
    step.expect(not wrong, f"each has data ({len(wrong)} have none)")
    step.figure("panels of the dashboard Stack with data", f"{sum(elsewhere.values())} of {len(elsewhere)}: its other parts are not in this cluster")


def instances(step, pods):
    """The table of instances has one row for each pod, with its node."""
    service = json.loads((FOLDER / "service.json").read_text(encoding="utf-8"))
    table = next(panel for panel in panels(service) if panel["title"] == "Instances" and panel["type"] == "table")
    expected = {(pod["metadata"]["name"], pod["spec"]["nodeName"]) for pod in pods}
    columns = table["transformations"][1]["options"]["renameByName"]
    for target in table["targets"]:
        found = engines.prometheus(substitute(target["expr"], ""))
        there = {(each["metric"].get("pod"), each["metric"].get("node")) for each in found if each["metric"].get("namespace", NAMESPACE) == NAMESPACE}
        # Of what ended in the last minutes a row may be left.
        step.expect(expected <= there, f"the table Instances has {columns['Value #' + target['refId']]} of each pod, with its node")
    step.figure("nodes in it", spread(pods))
