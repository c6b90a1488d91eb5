#!/bin/sh
# A fire drill: makes a service fail, waits until the alert of `api` has fired and has been delivered, repairs the service, waits
# until the alert is resolved, and prints how long each took and what was delivered. About ten minutes, because it sees the page
# through the end of its five-minute window too. It fails unless the texts can be read, those of the end claim no fault, the links
# show the incident, and nothing was delivered twice.
#
#   scripts/drill.sh           `api` itself fails
#   scripts/drill.sh payment   only `payment` fails, the last of the four services behind GET /checkout: the alert of `api` leads to a
#                              request whose trace has the line of `payment` that says why. This one needs Docker.
#
#   URL              the service, with REDPANE_FAULTS=true (http://localhost, port API_PORT of the shell or .env, else 8000)
#   GRAFANA_URL      (http://localhost, port GRAFANA_PORT, else 3000)
#   LOKI_URL         (http://localhost, port LOKI_PORT, else 3100)
#   GRAFANA_ADMIN_PASSWORD  password of admin (redpane)
#   RATE             requests a second sent meanwhile (20)
#   TIMEOUT          seconds each of the waits may take (420)
#   PAGE_END         yes: waits for the end of the page too, half an hour after the repair (no)
#
# The faults that were set before are set again at the end, also after Ctrl-C. Exit code 0: everything was seen; 1: something
# did not happen in time, or was not as it must be; 64: cannot begin.
set -eu

folder=$(dirname "$0")
# shellcheck source=scripts/port.sh
. "$folder/port.sh"

BROKEN=${1:-api}
URL=${URL:-http://localhost:$(port API_PORT 8000)}
GRAFANA_URL=${GRAFANA_URL:-http://localhost:$(port GRAFANA_PORT 3000)}
LOKI_URL=${LOKI_URL:-http://localhost:$(port LOKI_PORT 3100)}
GRAFANA_ADMIN_PASSWORD=${GRAFANA_ADMIN_PASSWORD:-redpane}
RATE=${RATE:-20}
TIMEOUT=${TIMEOUT:-420}
PAGE_END=${PAGE_END:-no}
# The page ends when its 30-minute window is clean.
PAGE_TIMEOUT=2400
ALERT="Any 5xx"
PAGE="Availability fast burn"
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
case $PAGE_END in yes | no) ;; *) refuse "PAGE_END=\"$PAGE_END\" is wrong: yes or no" ;; esac
[ $# -le 1 ] || refuse "too many arguments: nothing, or payment"
case $BROKEN in
  api) ;;
  payment) command -v docker >/dev/null || refuse "docker is not installed: payment has no port on this machine, so it is asked from inside of the bundle" ;;
  *) refuse "\"$BROKEN\" is wrong: nothing, or payment" ;;
esac
command -v curl >/dev/null || refuse "curl is not installed"

# `payment` has no port on this machine. Grafana's image has curl, and everything in the bundle's network reaches `payment`.
inside() { # command and its arguments
  docker compose --project-directory "$folder/.." exec -T grafana "$@"
}

get_faults() {
  if [ "$BROKEN" = api ]; then
    curl -fsS --max-time 10 "$URL/faults"
  else
    inside curl -fsS --max-time 10 "http://$BROKEN:8000/faults" </dev/null
  fi
}

set_faults() { # JSON
  # shellcheck disable=SC2016  # the inner shell's variables
  repeat='sent=0
    while [ "$sent" -lt "$1" ]; do
      curl -fsS -o /dev/null --max-time 10 -X PUT -H "Content-Type: application/json" -d "$2" "$3/faults" || exit 1
      sent=$((sent + 1))
    done'
  if [ "$BROKEN" = api ]; then
    sh -c "$repeat" sh "$REPEAT" "$1" "$URL"
  else
    inside sh -c "$repeat" sh "$REPEAT" "$1" "http://$BROKEN:8000" </dev/null
  fi
}

grafana() { # arguments of curl; the password does not appear in the list of processes
  printf 'user = "admin:%s"\n' "$GRAFANA_ADMIN_PASSWORD" | curl -fsS --max-time 10 -K - "$@"
}

firing() { # alert
  grafana -G "$GRAFANA_URL/api/alertmanager/grafana/api/v2/alerts" --data-urlencode "filter=alertname=\"$1\"" \
    --data-urlencode 'filter=app="api"' --data-urlencode active=true 2>/dev/null | grep -q '"alertname":"'"$1"'"'
}

resolved() { ! firing "$1"; }

# Whether the page's five-minute window has been clean for two minutes. Until it is, failures of the last five minutes hold the page;
# from then on those of the last half hour. A page that took this for another incident would be out by now: it waits one minute
# (`for` of its rule) and ten seconds (`group_wait`).
handed_over() {
  grafana -G "$GRAFANA_URL/api/datasources/proxy/uid/prometheus/api/v1/query" \
    --data-urlencode 'query=max_over_time(app:slo_availability:burn_rate5m{app="api"}[2m]) == 0' 2>/dev/null | grep -q '"value":\['
}

# An incident of before may end after the drill began; only those that began with it are its own. A page that was on already is
# looked at from there on.
since() { # alert
  if [ "$1" != "$PAGE" ] || [ "$pages" -eq 1 ]; then echo "$began_at"; fi
}

lines() { # alert, state, name of a field; the field of each such line of the receiver since the drill began
  curl -fsS --max-time 10 -G "$LOKI_URL/loki/api/v1/query_range" --data-urlencode "start=${began}000000000" --data-urlencode limit=100 \
    --data-urlencode "query={app=\"alerts\"} | json | message=\"alert\" | name=\"$1\" | state=\"$2\" | labels=~\".*app=.api\\\\W.*\" | line_format \"{{.starts_at}} {{.$3}}\"" 2>/dev/null |
    grep -o '\["[0-9]\{19\}","[^]]*' | sed 's/^\["[0-9]*","//; s/"$//; s/","{.*$//; s/\\u0026/\&/g; s/\\"/"/g' |
    awk -v since="$(since "$1")" '$1 "" >= since { sub(/^[^ ]* /, ""); print }'
}

delivered() { # alert, state
  [ -n "$(lines "$1" "$2" name)" ]
}

field() { # alert, state, name of the field
  lines "$1" "$2" "$3" | head -n 1
}

# The way from the alert to the cause: the latest failed request of `api`, and the line with its trace id in which another service
# says why. Other failures of `api`, such as those of a tester, have no such line.
guilty() {
  id=$(curl -fsS --max-time 10 -G "$LOKI_URL/loki/api/v1/query_range" --data-urlencode "start=${began}000000000" --data-urlencode limit=1 \
    --data-urlencode 'query={app="api", level="ERROR"} | json status, route | route="/checkout" | status >= 500' 2>/dev/null |
    grep -o '"trace_id":"[0-9a-f]\{32\}"' | head -n 1 | cut -d '"' -f 4) || return 1
  reason=$(curl -fsS --max-time 10 -G "$LOKI_URL/loki/api/v1/query_range" --data-urlencode "start=${began}000000000" --data-urlencode limit=1 \
    --data-urlencode "query={app=\"$BROKEN\"} | trace_id=\"$id\" | json | error=~\"injected by /faults.*\" | line_format \"{{.app}} {{.status}} {{.method}} {{.path}}: {{.error}}\"" 2>/dev/null |
    grep -o '\["[0-9]\{19\}","[^]"]*' | cut -d '"' -f 4) || return 1
  [ -n "$reason" ]
}

fail() {
  say "FAILED: $1"
  exit 1
}

must() { # what it is, text, pattern that it must match
  printf '%s\n' "$2" | grep -Eq -- "$3" || fail "$1 is \"$2\", which does not match $3"
}

must_not() { # what it is, text, pattern that it must not match
  ! printf '%s\n' "$2" | grep -Eq -- "$3" || fail "$1 is \"$2\", which matches $3"
}

readable() { # alert, state, pattern of the summary
  summary=$(field "$1" "$2" summary)
  value=$(field "$1" "$2" value)
  say "$1, $2: $summary ($value)"
  must "the summary of \"$1\" ($2)" "$summary" "$3"
  # Templates that failed, values by their letters, 0.08 as 80m.
  for text in "$summary" "$value"; do
    must_not "a text of \"$1\" ($2)" "$text" '[{}]|no value|[A-Z]=|[0-9]m |^$'
  done
  must "labels of \"$1\" ($2)" "$(field "$1" "$2" labels)" 'app="api"'
  # A range of the incident begins at a time, and ends with it; `now` is the end while it goes on.
  if [ "$2" = firing ]; then end=now; else end='[0-9]{13}'; fi
  for link in dashboard_url runbook_url; do
    must "$link of \"$1\" ($2)" "$(field "$1" "$2" "$link")" "^https?://.*var-app=api&from=[0-9]{13}&to=$end\$"
  done
  must "runbook_url of \"$1\" ($2)" "$(field "$1" "$2" runbook_url)" '/d/redpane-runbooks\?viewPanel=[0-9]+&'
  must "logs_url of \"$1\" ($2)" "$(field "$1" "$2" logs_url)" "from%22%3A%22[0-9]{13}%22%2C%22to%22%3A%22$end%22"
}

counted() { # alert, state, how often
  count=$(lines "$1" "$2" name | wc -l)
  [ "$count" -eq "$3" ] || fail "\"$1\" was delivered $count times as $2, not $3"
}

wait_for() { # what it is called, command that succeeds once it is so
  what=$1
  shift
  from=$(date +%s)
  until "$@"; do
    if [ $(($(date +%s) - from)) -ge "$TIMEOUT" ]; then
      fail "not $what within $TIMEOUT s"
    fi
    sleep 2
  done
  say "$what after $(($(date +%s) - mark)) s"
}

if [ "$BROKEN" = api ]; then
  no_faults="$URL/faults does not answer: is the service running with REDPANE_FAULTS=true? Its port is API_PORT in .env or the shell; URL names another place"
else
  no_faults="/faults of $BROKEN does not answer: is the bundle running (docker compose ps $BROKEN grafana), with REDPANE_FAULTS=true?"
fi
before=$(get_faults 2>/dev/null) || refuse "$no_faults"
grafana -o /dev/null "$GRAFANA_URL/api/user" 2>/dev/null || refuse "$GRAFANA_URL does not let admin in: are GRAFANA_PORT (in .env or the shell), or GRAFANA_URL, and GRAFANA_ADMIN_PASSWORD right?"
curl -fsS -o /dev/null --max-time 10 "$LOKI_URL/ready" 2>/dev/null || refuse "$LOKI_URL/ready does not answer: is LOKI_PORT (in .env or the shell), or LOKI_URL, right?"
if firing "$ALERT"; then refuse "the alert \"$ALERT\" is firing already: wait until it is resolved"; fi

# The page of an incident goes on for half an hour; one that is on already must not come again.
pages=1
if firing "$PAGE"; then
  pages=0
  say "\"$PAGE\" is firing already, from before the drill"
fi

load=
restore() {
  status=$?
  trap - EXIT
  # The pipe of load.sh ends with it; its summary is of no interest here.
  [ -z "$load" ] || kill "$load" 2>/dev/null || true
  if set_faults "$before"; then
    say "faults are as they were before the drill"
  else
    say "FAILED to restore the faults of $BROKEN; a restart clears them: docker compose restart $BROKEN"
    status=1
  fi
  exit "$status"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

began=$(date +%s)
began_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
RATE=$RATE DURATION=$((TIMEOUT * 5 + PAGE_TIMEOUT)) URL=$URL "$(dirname "$0")/load.sh" >/dev/null &
load=$!

say "turning faults of $BROKEN on: $FAULTS"
set_faults "$FAULTS"
mark=$(date +%s)
wait_for "the alert \"$ALERT\" has fired" firing "$ALERT"
wait_for "the receiver's line about it is in Loki" delivered "$ALERT" firing
readable "$ALERT" firing '^api answers 5xx: [0-9]+ in the last'
if [ "$pages" -eq 1 ]; then
  wait_for "the page \"$PAGE\" is in Loki" delivered "$PAGE" firing
  readable "$PAGE" firing '^api spends its error budget [0-9.]+ times too fast: [0-9.]+ % of requests failed'
fi
if [ "$BROKEN" != api ]; then
  wait_for "the line of $BROKEN that says why a request of api failed is in Loki" guilty
  say "    $reason"
  say "two clicks lead there: a failed request behind the alert, and the link \"Trace dashboard\" of its line"
  say "            $(field "$ALERT" firing logs_url)"
  say "            $GRAFANA_URL/d/redpane-trace?var-trace_id=$id&from=${began}000&to=now"
fi
say "look at it: $(field "$ALERT" firing dashboard_url)"
say "            $(field "$ALERT" firing runbook_url)"
say "            $GRAFANA_URL/d/redpane-logs?from=${began}000&to=now"

say "turning faults of $BROKEN off"
set_faults '{"error_ratio":0,"delay_ms":0,"panic_ratio":0}'
mark=$(date +%s)
wait_for "the alert \"$ALERT\" is resolved" resolved "$ALERT"
wait_for "the receiver's line about that is in Loki" delivered "$ALERT" resolved
readable "$ALERT" resolved '^api has answered no request with 5xx'
counted "$ALERT" firing 1
counted "$ALERT" resolved 1

wait_for "the page has passed the end of its five-minute window" handed_over
if [ "$PAGE_END" = yes ]; then
  TIMEOUT=$PAGE_TIMEOUT
  wait_for "the page \"$PAGE\" is resolved" resolved "$PAGE"
fi
if firing "$PAGE"; then
  say "\"$PAGE\" is still firing, as it must: the failures are in its 30-minute window"
  counted "$PAGE" resolved 0
else
  wait_for "the receiver's line about the end of the page is in Loki" delivered "$PAGE" resolved
  readable "$PAGE" resolved '^api no longer spends its error budget too fast: [0-9.]+ % of requests failed in the last'
  counted "$PAGE" resolved 1
fi
counted "$PAGE" firing "$pages"
counted "$ALERT" firing 1
counted "$ALERT" resolved 1
say "drill passed: one incident, delivered once"
