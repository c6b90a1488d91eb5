"""What deploy/test/run says, by the environment."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAMESPACE = os.environ.get("PROOF_NAMESPACE", "redpane-proof")
# The release of the chart, which is the label `app` too.
APP = "api"
REPLICAS = int(os.environ.get("PROOF_REPLICAS", "20"))
# Requests of the step `counts`; the others send for as long as what they watch takes.
REQUESTS = int(os.environ.get("PROOF_REQUESTS", "6000"))
# Requests a second of the other steps.
RATE = int(os.environ.get("PROOF_RATE", "60"))
# What the load is sent to, where nodes are not reached by their own addresses: "host:port host:port".
ADDRESSES = os.environ.get("PROOF_ADDRESSES", "").split()
# How a node ends and comes back; the command gets its name as the last argument. Unset: the container of this name.
KILL_NODE = os.environ.get("REDPANE_TEST_KILL_NODE", "")
START_NODE = os.environ.get("REDPANE_TEST_START_NODE", "")
REPORT = os.environ.get("PROOF_REPORT", "")
# Seconds between two scrapes of deploy/kubernetes/prometheus/prometheus.yml.
SCRAPE_INTERVAL = 15
# What probes and scrapes are counted under.
CLIENTS_ONLY = 'route!~"/metrics|/healthz|/readyz"'
