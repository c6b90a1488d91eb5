#!/bin/sh
# Read by load.sh and drill.sh.

# A port as Compose finds it: from the shell, else from .env, else the default. An empty one is the default too.
port() { # variable, default
  value=$(sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*[\"']\{0,1\}\([0-9]*\).*/\2/p" "$(dirname "$0")/../.env" 2>/dev/null | tail -n 1)
  eval "value=\${$1-\$value}"
  echo "${value:-$2}"
}
