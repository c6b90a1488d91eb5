# Parts of deploy/test/run: what must be there, what is installed, and how it is taken away.
# shellcheck shell=bash disable=SC2154  # variables of deploy/test/run

wrong() {
  echo "deploy/test/run: $1 (--help)" >&2
  exit 64
}

missing() {
  echo "deploy/test/run: $1" >&2
  exit 69
}

need_tools() {
  local tool absent=()
  for tool in kubectl helm python3; do
    command -v "$tool" >/dev/null || absent+=("$tool")
  done
  [ "${#absent[@]}" -eq 0 ] || missing "not on the PATH: ${absent[*]}"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || missing "python3 is older than 3.10"
  [[ " ${steps[*]} " != *" node "* || -n ${REDPANE_TEST_KILL_NODE:-} ]] || command -v docker >/dev/null ||
    missing "the step node needs docker, or REDPANE_TEST_KILL_NODE"
}

# Nodes that are ready and take pods.
nodes() {
  kubectl get nodes --output json | python3 -c '
import json, sys
for node in json.load(sys.stdin)["items"]:
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
    taints = [each["effect"] for each in node["spec"].get("taints", [])]
    if ready and not node["spec"].get("unschedulable") and "NoSchedule" not in taints and "NoExecute" not in taints:
        control = "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
        print(0 if control else 1, node["metadata"]["name"])' | sort | cut -d ' ' -f 2
}

need_cluster() {
  local context found
  context=$(kubectl config current-context 2>/dev/null) || missing "kubectl has no context: there is no cluster (kind create cluster makes one)"
  kubectl get --raw /readyz >/dev/null 2>&1 || missing "the cluster of the context $context does not answer"
  case $context in
    kind-* | k3d-* | minikube* | *test*) ;;
    *) [ -n "$sure" ] || missing "the context $context does not look like a cluster for tests, and a node of it will be ended: --yes-this-cluster" ;;
  esac
  mapfile -t found < <(nodes)
  [ "${#found[@]}" -ge 3 ] || missing "three ready nodes that take pods are needed: $context has ${#found[@]}"
  # Before anything would be taken away in the end.
  if [ -z "$installed" ] && [ -n "$(kubectl get namespace "$PROOF_NAMESPACE" --ignore-not-found --output name)" ]; then
    missing "there is a namespace $PROOF_NAMESPACE already: delete it, name another with --namespace, or go on with it by --installed"
  fi
  # The control plane cannot be the node that dies, so the engines live there where it takes pods.
  engines=${found[0]}
}

report_head() {
  cat <<END
# The proof on a cluster

* $(date -u +%FT%TZ), $(git -C "$root" describe --always --dirty 2>/dev/null || echo "no commit known")
* Kubernetes $(kubectl version --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)["serverVersion"]["gitVersion"])'), $(kubectl get nodes --no-headers | wc -l) nodes, $(helm version --short), engines on the node $engines
* $PROOF_REPLICAS pods, collector: $collector, processors: $(nproc)
END
}

kustomize() {
  kubectl kustomize --load-restrictor LoadRestrictionsNone "$here/$1" | sed "s/redpane-proof\$/$PROOF_NAMESPACE/"
}

in_namespace() { kubectl --namespace "$PROOF_NAMESPACE" "$@"; }

install() {
  local adapter=true set=()
  echo "== install: engines on $engines, collector $collector, $PROOF_REPLICAS pods"
  kubectl create namespace "$PROOF_NAMESPACE" >/dev/null
  # A collector reads the node's files, which the stricter levels forbid.
  kubectl label namespace "$PROOF_NAMESPACE" pod-security.kubernetes.io/enforce=privileged >/dev/null
  kubectl label node "$engines" redpane-proof=engines --overwrite >/dev/null
  [[ " ${steps[*]} " == *" hpa "* ]] || adapter=false
  helm --namespace "$PROOF_NAMESPACE" install engines "$here/engines" --values "$root/docker-compose.yml" --values "$root/promtail-config.yml" \
    --values "$root/deploy/kubernetes/loki.values.yaml" --values "$root/deploy/kubernetes/prometheus-adapter.values.yaml" \
    --set "proof.collector=$collector,proof.adapter=$adapter" >/dev/null
  kustomize prometheus | kubectl apply --filename - >/dev/null
  [ "$collector" != alloy ] || kustomize alloy | kubectl apply --filename - >/dev/null
  [ -z "$image" ] || set=(--set "image.repository=${image%:*},image.tag=${image##*:}")
  helm --namespace "$PROOF_NAMESPACE" install api "$root/deploy/helm/redpane" --wait --timeout 10m >/dev/null \
    --set "replicas=$PROOF_REPLICAS,service.type=NodePort,settings.REDPANE_FAULTS=true" "${set[@]}"
  in_namespace wait --for=condition=Ready pods --all --timeout=10m >/dev/null
  in_namespace get pods --no-headers --output custom-columns=NODE:.spec.nodeName | sort | uniq -c
}

# What there is to see of a failure.
look() {
  in_namespace get pods --output wide || true
  in_namespace get events --sort-by=.lastTimestamp | tail -n 30 || true
}

clean() {
  local code=$?
  echo "== clean"
  for release in scaled api engines; do
    helm --namespace "$PROOF_NAMESPACE" uninstall "$release" --ignore-not-found --wait >/dev/null 2>&1 || true
  done
  kustomize prometheus | kubectl delete --ignore-not-found --filename - >/dev/null 2>&1 || true
  [ "$collector" != alloy ] || kustomize alloy | kubectl delete --ignore-not-found --filename - >/dev/null 2>&1 || true
  kubectl label node "$engines" redpane-proof- >/dev/null 2>&1 || true
  kubectl delete namespace "$PROOF_NAMESPACE" --ignore-not-found --timeout=3m >/dev/null || true
  return "$code"
}
