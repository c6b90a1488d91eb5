#!/bin/sh
# Checks every value of .env and the shell before anything starts, and names all that cannot be used with what would be right.
#
#   SETTINGS=... scripts/check-settings.sh FOLDER
#
# FOLDER holds docker-compose.yml and what it mounts. SETTINGS are lines NAME=value, as Compose hands them on. `docker compose
# up` runs it while it builds the image of the service `settings`: the output of a build is what Compose shows on the terminal
# also with `-d --wait`.
set -eu

folder=${1:?"usage: SETTINGS=... check-settings.sh FOLDER"}
findings=

add() { findings="$findings  $1
"; }

refuse() { add "$1 is \"$2\": must be $3"; } # name, value, what would be right

# What Compose makes of a dollar cannot be seen any more in what it hands on, so the file itself is read.
check_dollar() { # name
  [ -f "$folder/.env" ] || return 0
  raw=$(sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" "$folder/.env" | tail -n 1)
  # What stands for a dollar: two of them, and one after a backslash, but this in double quotes only.
  case $raw in
    \'*) return 0 ;;
    \"*) left=$(printf '%s' "$raw" | sed 's/\\\$//g; s/\$\$//g') ;;
    *) left=$(printf '%s' "$raw" | sed 's/[[:space:]]#.*//; s/\$\$//g') ;;
  esac
  case $left in
    *\$*) add "$1 has a \$ in .env, after which Compose looks for the name of a variable: write the value in single quotes, $1='...'" ;;
  esac
}

# Numbers with units, such as 1h30m, as a sum of the unit that FACTORS counts in. Nothing for what is no such text.
sum() { # value, factors: "h=3600000 m=60000 ..."
  rest=$1 total=0
  [ -n "$rest" ] || return 0
  while [ -n "$rest" ]; do
    number=${rest%%[!0-9]*}
    case $number in '' | ??????????*) return 0 ;; esac
    rest=${rest#"$number"}
    rest=${rest#"${rest%%[! ]*}"}
    unit=${rest%%[0-9 ]*}
    rest=${rest#"$unit"}
    rest=${rest#"${rest%%[! ]*}"}
    factor=
    for pair in $2; do [ "${pair%%=*}" != "$unit" ] || factor=${pair#*=}; done
    [ -n "$factor" ] || return 0
    # A leading zero would make an octal number of it.
    number=${number#"${number%%[!0]*}"}
    total=$((total + ${number:-0} * factor))
  done
  echo "$total"
}

check_between() { # name, value, sum or nothing, lowest, highest, what would be right
  if [ -z "$3" ] || [ "$3" -lt "$4" ] || [ "$3" -gt "$5" ]; then refuse "$1" "$2" "$6"; fi
}

# As redpane reads it, in microseconds.
check_duration() { # name, value, lowest and highest in milliseconds, what would be right
  # Nothing needs no unit.
  [ "$2" != 0 ] || set -- "$1" 0s "$3" "$4" "$5"
  check_between "$1" "$2" "$(sum "$2" "us=1 ms=1000 s=1000000 sec=1000000 secs=1000000 m=60000000 min=60000000 mins=60000000 h=3600000000 hr=3600000000")" "$(($3 * 1000))" "$(($4 * 1000))" "$5"
}

# As Prometheus and Loki read it: hours at least, so seconds are enough.
check_age() { # name, value, lowest in seconds, what would be right
  if ! printf '%s' "$2" | grep -qxE '([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?'; then
    refuse "$1" "$2" "$4 (units from the largest to the smallest, without spaces)"
    return
  fi
  check_between "$1" "$2" "$(sum "$2" "s=1 m=60 h=3600 d=86400 w=604800 y=31536000")" "$3" 3153600000 "$4"
}

check_bytes() { # name, value, lowest, highest, what would be right
  case $2 in
    *[!0-9]*) bytes=$(sum "$(printf '%s' "$2" | tr '[:upper:]' '[:lower:]')" "b=1 k=1000 kb=1000 m=1000000 mb=1000000 g=1000000000 gb=1000000000 ki=1024 kib=1024 mi=1048576 mib=1048576 gi=1073741824 gib=1073741824") ;;
    *) bytes=$(sum "$2" "=1") ;;
  esac
  check_between "$1" "$2" "$bytes" "$3" "$4" "$5"
}

check_count() { # name, value, lowest, highest
  check_between "$1" "$2" "$(sum "$2" "=1")" "$3" "$4" "a whole number from $3 to $4"
}

check_word() { # name, value, words separated by spaces
  for word in $3; do [ "$word" != "$(printf '%s' "$2" | tr '[:upper:]' '[:lower:]')" ] || return 0; done
  refuse "$1" "$2" "one of: $3"
}

# Levels and target=level, separated by commas.
check_log() { # name, value
  directives=$(printf '%s' "$2" | tr -d '[:space:]' | tr '[:upper:],' '[:lower:]\n')
  wrong=$(printf '%s\n' "$directives" | sed -E '/^$/d; s/^[^=]*=//; s/^$/-/' | grep -vxE 'off|error|warn|info|debug|trace' | head -n 1) || true
  if [ -n "$wrong" ] || [ -z "$(printf '%s' "$directives" | tr -d '\n')" ]; then
    refuse "$1" "$2" "a level (off, error, warn, info, debug, trace) or target=level, separated by commas"
  fi
}

# Addresses and networks, separated by commas; of IPv6 only what can be none is refused here.
check_networks() { # name, value
  byte='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
  ipv4="$byte(\\.$byte){3}(/(3[0-2]|[012]?[0-9]))?"
  hex='[0-9a-fA-F]{1,4}' prefix='(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?'
  # Eight groups, or fewer around one `::`, the last two also as an IPv4 address. What has too many groups around `::` is
  # refused by the service itself.
  tail="($hex(:$hex){0,6}|($hex:){0,5}$byte(\\.$byte){3})"
  ipv6="(($hex:){7}$hex|($hex:){6}$byte(\\.$byte){3}|($hex(:$hex){0,6})?::$tail?)$prefix"
  wrong=$(printf '%s\n' "$2" | tr -d '[:blank:]' | tr ',' '\n' | sed '/^$/d' | grep -vxE "$ipv4|$ipv6" | head -n 1) || true
  [ -z "$wrong" ] || refuse "$1" "$2" "IP addresses and networks, separated by commas, such as 10.0.0.0/8,fd00::1"
}

check_keep() { # name, value
  word='[[:blank:]]*(errors|slow)?[[:blank:]]*'
  case $2 in *errors* | *slow*) wanted="$word(,$word)*" ;; *) wanted='[[:blank:]]*none[[:blank:]]*' ;; esac
  printf '%s\n' "$2" | grep -qxE "$wanted" || refuse "$1" "$2" "errors, slow, both as in errors,slow, or none"
}

# A mantissa of one digit before the point is all that numbers below 1 need.
check_share() { # name, value
  plain='0+(\.[0-9]*)?|0*\.[0-9]+|0*1(\.0*)?' small='[0-9](\.[0-9]*)?[eE]-[0-9]*[1-9]'
  printf '%s\n' "$2" | grep -qxE "[[:blank:]]*\\+?($plain|$small)[[:blank:]]*" || refuse "$1" "$2" "a number from 0 to 1, such as 0.1"
}

check_url() { # name, value
  case $2 in
    *[[:space:]]*) refuse "$1" "$2" "a URL without spaces" ;;
    http://?* | https://?*) ;;
    *) refuse "$1" "$2" "a URL that starts with http:// or https://" ;;
  esac
}

check_upstream() { # name, value
  printf '%s\n' "$2" | grep -qxE 'http://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(:[0-9]{1,5})?(/[^?#[:space:]]*)?' ||
    refuse "$1" "$2" "a base URL that starts with http://, without user, query or fragment, such as http://orders:8000"
}

check_ratio() { # name, value
  printf '%s\n' "$2" | grep -qxE '0*(0|1)(\.0*)?|0*\.[0-9]+' || refuse "$1" "$2" "a number from 0 to 1, such as 0.1"
}

ports=
check_port() { # name, value
  check_count "$1" "$2" 1 65535
  for other in $ports; do
    if [ "${other#*=}" = "$2" ]; then refuse "$1" "$2" "another port than ${other%%=*}"; fi
  done
  ports="$ports $1=$2"
}

check() { # name, value
  case $1 in
    GRAFANA_ANONYMOUS) case $2 in true | false) ;; *) refuse "$1" "$2" "true or false" ;; esac ;;
    SLACK_WEBHOOK_URL | ALERT_WEBHOOK_URL) [ -z "$2" ] || check_url "$1" "$2" ;;
    GRAFANA_ROOT_URL | PAGERDUTY_URL) check_url "$1" "$2" ;;
    PAGERDUTY_ROUTING_KEY) case $2 in *[!0-9A-Za-z_-]*) refuse "$1" "(not shown)" "the letters and digits of an Events API v2 integration key" ;; esac ;;
    *_PORT) check_port "$1" "$2" ;;
    PROMETHEUS_RETENTION_TIME) check_age "$1" "$2" 3600 "a duration of at least 1h in s, m, h, d, w or y, such as 15d" ;;
    PROMETHEUS_RETENTION_SIZE)
      case $2 in
        # More than 7 EB are more than its 64 bits hold.
        *[89]EB | *[0-9][0-9]EB) refuse "$1" "$2" "a size such as 512MB or 5GB, below 8EB" ;;
        *[0-9][KMGTPE]B) case ${2%??} in *[!0-9]* | 0*) refuse "$1" "$2" "a size such as 512MB or 5GB" ;; esac ;;
        *) refuse "$1" "$2" "a size such as 512MB or 5GB" ;;
      esac
      ;;
    LOKI_RETENTION) check_age "$1" "$2" 86400 "a duration of at least 24h in h, d, w or y, such as 168h: Loki deletes whole days" ;;
    TEMPO_RETENTION)
      case $2 in
        *[!0-9hms]*) refuse "$1" "$2" "a duration of at least 1h in h, m and s, such as 168h" ;;
        *) check_age "$1" "$2" 3600 "a duration of at least 1h in h, m and s, such as 168h" ;;
      esac
      ;;
    LOGGING_FILTER) case $2 in '' | =* | *[[:space:]\"]*) refuse "$1" "$2" "a container label, or label=value" ;; esac ;;
    DOCKER_SOCKET) case $2 in /?*) ;; *) refuse "$1" "$2" "the path of the Docker daemon's socket, such as /var/run/docker.sock" ;; esac ;;
    OTEL_TRACES_SAMPLER)
      [ -z "$2" ] || check_word "$1" "$2" "always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio"
      ;;
    OTEL_TRACES_SAMPLER_ARG) [ -z "$2" ] || check_ratio "$1" "$2" ;;
    OTEL_SDK_DISABLED) [ -z "$2" ] || check_word "$1" "$2" "true false" ;;
    REDPANE_*) [ -z "$2" ] || check_service "$1" "$2" ;;
  esac
}

# The service's own settings, with the bounds of docs/configuration.md. It checks them again itself.
check_service() { # name, value
  case $1 in
    REDPANE_FAULTS) check_word "$1" "$2" "true false 1 0" ;;
    REDPANE_UPSTREAM) check_upstream "$1" "$2" ;;
    REDPANE_TRUSTED_PROXIES | REDPANE_PROXY_PROTOCOL_FROM) check_networks "$1" "$2" ;;
    REDPANE_METRIC_NAMES) check_word "$1" "$2" "redpane otel both" ;;
    REDPANE_TRACE_KEEP) check_keep "$1" "$2" ;;
    REDPANE_LOG) check_log "$1" "$2" ;;
    REDPANE_LOG_WHEN_FULL) check_word "$1" "$2" "drop block" ;;
    REDPANE_LOG_BUFFER_BYTES) check_bytes "$1" "$2" 65536 1073741824 "a size from 64KiB to 1GiB, such as 16MiB" ;;
    REDPANE_ACCESS_SAMPLE) check_share "$1" "$2" ;;
    REDPANE_ACCESS_SLOW) check_duration "$1" "$2" 0 3600000 "a duration with its unit from 0s to 1h, such as 1s" ;;
    REDPANE_BODY_LIMIT) check_bytes "$1" "$2" 1 1073741824 "a size from 1 byte to 1GiB, such as 1MiB" ;;
    REDPANE_CLIENT_MEMORY) check_bytes "$1" "$2" 1048576 68719476736 "a size from 1MiB to 64GiB, such as 64MiB" ;;
    REDPANE_REQUEST_TIMEOUT) check_duration "$1" "$2" 1 3600000 "a duration with its unit from 1ms to 1h, such as 30s" ;;
    REDPANE_HEADER_TIMEOUT) check_duration "$1" "$2" 10 3600000 "a duration with its unit from 10ms to 1h, such as 10s" ;;
    REDPANE_SHUTDOWN_GRACE) check_duration "$1" "$2" 0 3600000 "a duration with its unit from 0s to 1h, such as 25s" ;;
    REDPANE_MAX_CONNECTIONS | REDPANE_SERIES_LIMIT) check_count "$1" "$2" 1 1000000 ;;
  esac
}

# Containers run as users of their own, who see the mounted files as "others".
check_readable() {
  closed=$(cd "$folder" && find . ! -name . ! -name '.env*' ! -path './scripts*' \( -type f ! -perm -004 -o -type d ! -perm -005 \) -print | head -n 3 | tr '\n' ' ')
  [ -z "$closed" ] || add "files are closed to the users of the containers ($closed...), as after a clone under umask 077: run chmod -R go+rX . in this folder"
}

while IFS= read -r line; do
  case $line in *=*) check "${line%%=*}" "${line#*=}" ;; esac
done <<VALUES
${SETTINGS:-}
VALUES
for name in GRAFANA_ADMIN_PASSWORD SLACK_WEBHOOK_URL PAGERDUTY_ROUTING_KEY ALERT_WEBHOOK_URL; do check_dollar "$name"; done
check_readable

[ -n "$findings" ] || exit 0
printf '\nThe bundle cannot start. Change this, in .env or the shell:\n%s\n' "$findings" >&2
exit 64
