#!/bin/sh
# Sends a steady mix of requests to the service: greetings, echoes, the root, a few unknown paths, and one time in five /checkout,
# which passes through all four services.
#
#   RATE      requests a second, 1 to 1000 (20)
#   DURATION  seconds, 1 to 86400 (60)
#   URL       where the service is (http://localhost, with the port API_PORT of the shell or .env, else 8000)
#
# Prints how many answers had which status code. Changes nothing; Ctrl-C ends it with the same summary.
set -eu

# shellcheck source=scripts/port.sh
. "$(dirname "$0")/port.sh"

RATE=${RATE:-20}
DURATION=${DURATION:-60}
URL=${URL:-http://localhost:$(port API_PORT 8000)}

refuse() {
  echo "load.sh: $1" >&2
  exit 64
}

check_number() { # name, value, largest
  case $2 in '' | *[!0-9]* | ??????*) refuse "$1=\"$2\" is wrong: a whole number from 1 to $3" ;; esac
  if [ "$2" -lt 1 ] || [ "$2" -gt "$3" ]; then refuse "$1=$2 is wrong: a whole number from 1 to $3"; fi
}

check_number RATE "$RATE" 1000
check_number DURATION "$DURATION" 86400
case $URL in http://?* | https://?*) ;; *) refuse "URL=\"$URL\" is wrong: it starts with http:// or https://" ;; esac
URL=${URL%/}
command -v curl >/dev/null || refuse "curl is not installed"
version=$(curl --version | sed -n '1s/^curl \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
# --parallel came with 7.66.
case $version in
  [0-6]\ * | 7\ ? | 7\ [0-5]? | 7\ 6[0-5]) refuse "curl ${version%% *}.${version#* } is too old: 7.66 or newer is needed, for --parallel" ;;
esac

codes=$(mktemp)
running=

finish() {
  # shellcheck disable=SC2086  # a list of process ids
  [ -z "$running" ] || kill $running 2>/dev/null || true
  wait
  echo "requests by status code (000: no answer):"
  sort "$codes" | uniq -c
  rm -f "$codes"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One second of requests as a curl configuration: one process sends them all, over connections it keeps open.
second_of_requests() {
  number=0
  while [ "$number" -lt "$RATE" ]; do
    [ "$number" -eq 0 ] || echo next
    case $(((number + second) % 20)) in
      0 | 5 | 10) printf 'url = "%s/"\n' "$URL" ;;
      1 | 11) printf 'url = "%s/echo"\nheader = "Content-Type: application/json"\ndata = "{\\"number\\": %d}"\n' "$URL" "$number" ;;
      3 | 8 | 13 | 18) printf 'url = "%s/checkout"\n' "$URL" ;;
      2) printf 'url = "%s/unknown/%d"\n' "$URL" "$number" ;;
      *) printf 'url = "%s/hello/visitor-%d"\n' "$URL" "$number" ;;
    esac
    printf 'silent\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nmax-time = 30\n'
    number=$((number + 1))
  done
}

curl -fsS -o /dev/null --max-time 5 "$URL/readyz" || refuse "$URL/readyz does not answer: is the service running? Its port is API_PORT in .env or the shell; URL names another place"
echo "sending $RATE requests a second to $URL for $DURATION s"
start=$(date +%s)
second=0
while [ "$second" -lt "$DURATION" ]; do
  second_of_requests | curl --parallel --parallel-max 50 -K - >>"$codes" 2>/dev/null &
  running="$running $!"
  second=$((second + 1))
  # Ids of ended processes are forgotten now and then, so that the list stays short.
  if [ $((second % 60)) -eq 0 ]; then
    alive=
    for process in $running; do if kill -0 "$process" 2>/dev/null; then alive="$alive $process"; fi; done
    running=$alive
  fi
  now=$(date +%s)
  if [ $((start + second)) -gt "$now" ]; then sleep $((start + second - now)); fi
done
wait
running=
