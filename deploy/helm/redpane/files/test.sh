#!/bin/sh
# Sends requests to $REQUEST until $METRICS shows the trace id of one of them, for $DEADLINE seconds at most.
set -u
ends=$(($(date +%s) + DEADLINE))
said="no request was answered"
while [ "$(date +%s)" -lt "$ends" ]; do
  fresh=$(head -c 16 /dev/urandom | od -A n -t x1 | tr -d ' \n')
  # Sampled, because a service that exports spans shows only those as exemplars. Who does not believe callers answers with another id.
  if answer=$(wget -S -T 5 -O /dev/null --header "traceparent: 00-$fresh-00f067aa0ba902b7-01" "$REQUEST" 2>&1); then
    id=$(printf '%s\n' "$answer" | tr -d '\r' | sed -n 's/^ *[Xx]-[Tt]race-[Ii]d: *//p' | head -n 1)
    if [ -z "$id" ]; then
      said="the answer of $REQUEST has no X-Trace-Id: is it instrumented with redpane?"
    elif wget -q -T 5 -O - --header 'Accept: application/openmetrics-text' "$METRICS" 2>/dev/null | grep -q "trace_id=\"$id\""; then
      echo "$REQUEST was answered, and $METRICS shows it: trace id $id"
      exit 0
    else
      said="$REQUEST was answered, and $METRICS does not show it"
    fi
  else
    code=$?
    said="$REQUEST was not answered: wget ended with $code: $(printf '%s' "$answer" | tail -n 1)"
    # There is no such program, and there will not be.
    [ "$code" -ne 127 ] || break
  fi
  sleep 1
done
echo "$said" >&2
exit 1
