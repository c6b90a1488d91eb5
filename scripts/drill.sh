#!/bin/sh
# A fire drill: makes the service fail, waits until the alert has fired and has been delivered, repairs the service, waits
# until the alert is resolved, and prints how long each took. About six minutes.
#
#   URL              the service, with REDPANE_FAULTS=true (http://localhost:8000)
#   GRAFANA_URL      (http://localhost:3000)
#   LOKI_URL         (http://localhost:3100)
#   GRAFANA_ADMIN_PASSWORD  password of admin (redpane)
#   RATE             requests a second sent meanwhile (20)
#   TIMEOUT          seconds each of the waits may take (420)
#
# The faults that were set before are set again at the end, also after Ctrl-C. Exit code 0: everything was seen; 1: something
# did not happen in time; 64: cannot begin.
set -eu

URL=${URL:-http://localhost:8000}
GRAFANA_URL=${GRAFANA_URL:-http://localhost:3000}
LOKI_URL=${LOKI_URL:-http://localhost:3100}
GRAFANA_ADMIN_PASSWORD=${GRAFANA_ADMIN_PASSWORD:-redpane}
RATE=${RATE:-20}
TIMEOUT=${TIMEOUT:-420}
ALERT="Any 5xx"
FAULTS='{"error_ratio":0.2,"delay_ms":0,"panic_ratio":0}'
# Each replica has its own faults. The gateway takes replicas in turn, but for the requests of the load too, so which one gets
# the next is chance: this many reach every one of five replicas in all but one of 100,000 drills.
REPEAT=60

say() { echo "$(date +%H:%M:%S) $*"; }

refuse() {
  echo "drill.sh: $1" >&2
  exit 64
}

case $TIMEOUT in '' | *[!0-9]* | ??????*) refuse "TIMEOUT=\"$TIMEOUT\" is wrong: a number of seconds" ;; esac
command -v curl >/dev/null || refuse "curl is not installed"

set_faults() { # JSON
  sent=0
  while [ "$sent" -lt "$REPEAT" ]; do
    curl -fsS -o /dev/null --max-time 10 -X PUT -H 'Content-Type: application/json' -d "$1" "$URL/faults" || return 1
    sent=$((sent + 1))
  done
}

grafana() { # arguments of curl; the password does not appear in the list of processes
  printf 'user = "admin:%s"\n' "$GRAFANA_ADMIN_PASSWORD" | curl -fsS --max-time 10 -K - "$@"
}

firing() {
  grafana -G "$GRAFANA_URL/api/alertmanager/grafana/api/v2/alerts" --data-urlencode "filter=alertname=\"$ALERT\"" \
    --data-urlencode active=true 2>/dev/null | grep -q '"alertname":"'"$ALERT"'"'
}

resolved() { ! firing; }

delivered() { # state: is there a line of the receiver since the drill began?
  curl -fsS --max-time 10 -G "$LOKI_URL/loki/api/v1/query_range" --data-urlencode "start=${began}000000000" --data-urlencode limit=1 \
    --data-urlencode "query={app=\"alerts\"} | json | message=\"alert\" | name=\"$ALERT\" | state=\"$1\"" 2>/dev/null | grep -q '"values"'
}

wait_for() { # what it is called, command that succeeds once it is so
  what=$1
  shift
  from=$(date +%s)
  until "$@"; do
    if [ $(($(date +%s) - from)) -ge "$TIMEOUT" ]; then
      say "FAILED: not $what within $TIMEOUT s"
      exit 1
    fi
    sleep 2
  done
  say "$what after $(($(date +%s) - mark)) s"
}

before=$(curl -fsS --max-time 10 "$URL/faults" 2>/dev/null) || refuse "$URL/faults does not answer: start the service with REDPANE_FAULTS=true"
grafana -o /dev/null "$GRAFANA_URL/api/user" 2>/dev/null || refuse "$GRAFANA_URL does not let admin in: is GRAFANA_ADMIN_PASSWORD right?"
curl -fsS -o /dev/null --max-time 10 "$LOKI_URL/ready" 2>/dev/null || refuse "$LOKI_URL/ready does not answer: is LOKI_URL right?"
if firing; then refuse "the alert \"$ALERT\" is firing already: wait until it is resolved"; fi

load=
restore() {
  status=$?
  trap - EXIT
  # The pipe of load.sh ends with it; its summary is of no interest here.
  [ -z "$load" ] || kill "$load" 2>/dev/null || true
  if set_faults "$before"; then
    say "faults are as they were before the drill"
  else
    say "FAILED to restore the faults; do it by hand: curl -X PUT -H 'Content-Type: application/json' -d '$before' $URL/faults"
    status=1
  fi
  exit "$status"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

began=$(date +%s)
RATE=$RATE DURATION=$((TIMEOUT * 4)) URL=$URL "$(dirname "$0")/load.sh" >/dev/null &
load=$!

say "turning faults on: $FAULTS"
set_faults "$FAULTS"
mark=$(date +%s)
wait_for "the alert \"$ALERT\" has fired" firing
wait_for "the receiver's line about it is in Loki" delivered firing
say "look at it: $GRAFANA_URL/d/redpane-service?from=${began}000&to=now"
say "            $GRAFANA_URL/alerting/list?search=Any"
say "            $GRAFANA_URL/d/redpane-logs?from=${began}000&to=now"

say "turning faults off"
set_faults '{"error_ratio":0,"delay_ms":0,"panic_ratio":0}'
mark=$(date +%s)
wait_for "the alert is resolved" resolved
wait_for "the receiver's line about that is in Loki" delivered resolved
say "drill passed"
