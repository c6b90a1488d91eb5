#!/bin/sh
# Checks the values that come from .env, names every wrong one, then starts Grafana the way its image does.
# Grafana itself would start with most of them and fail at the first alert.
wrong=0

refuse() { # name, value, what would be right
  echo "grafana: $1=\"$2\" is wrong: $3" >&2
  wrong=1
}

check_url() { # name, value
  case $2 in
    *[[:space:]]*) refuse "$1" "$2" "a URL has no spaces" ;;
    http://?* | https://?*) ;;
    *) refuse "$1" "$2" "a URL that starts with http:// or https://" ;;
  esac
}

check_url SLACK_WEBHOOK_URL "$SLACK_WEBHOOK_URL"
check_url ALERT_WEBHOOK_URL "$ALERT_WEBHOOK_URL"
check_url PAGERDUTY_URL "$PAGERDUTY_URL"
check_url GRAFANA_ROOT_URL "$GF_SERVER_ROOT_URL"

case $PAGERDUTY_ROUTING_KEY in
  *[!0-9A-Za-z_-]*) refuse PAGERDUTY_ROUTING_KEY "(not shown)" "the 32 letters and digits of an Events API v2 integration" ;;
esac

case $GF_AUTH_ANONYMOUS_ENABLED in
  true | false) ;;
  *) refuse GRAFANA_ANONYMOUS "$GF_AUTH_ANONYMOUS_ENABLED" "true or false" ;;
esac

[ "$wrong" -eq 0 ] || exit 64
exec /run.sh "$@"
