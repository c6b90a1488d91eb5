{{/* What the schema cannot say, because it compares two values. */}}
{{- define "redpane.check" -}}
{{- if not (kindIs "map" .Values.settings) -}}
{{- fail "settings: must be an object; null of one setting takes its default" -}}
{{- end -}}
{{- $memory := .Values.settings.REDPANE_CLIENT_MEMORY -}}
{{- $limit := (.Values.resources.limits | default dict).memory -}}
{{- if and $memory $limit -}}
{{- $needed := mul 4 (include "redpane.bytes" $memory | int64) -}}
{{- if lt (include "redpane.bytes" $limit | int64) $needed -}}
{{- fail (printf "resources.limits.memory is %q: must be at least four times settings.REDPANE_CLIENT_MEMORY (%q), that is %dMi" (toString $limit) (toString $memory) (div (add $needed 1048575) 1048576)) -}}
{{- end -}}
{{- end -}}
{{- $requested := (.Values.resources.requests | default dict).memory -}}
{{- if and $requested $limit (gt (include "redpane.bytes" $requested | int64) (include "redpane.bytes" $limit | int64)) -}}
{{- fail (printf "resources.requests.memory is %q: must be at most resources.limits.memory (%q)" (toString $requested) (toString $limit)) -}}
{{- end -}}
{{- $end := include "redpane.endSeconds" . | int -}}
{{- if and .Values.terminationGracePeriodSeconds (lt (int .Values.terminationGracePeriodSeconds) $end) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: must be at least shutdown.pauseSeconds, settings.REDPANE_SHUTDOWN_GRACE and settings.REDPANE_LAST_SCRAPE together, %d, or pods are killed before they have ended; null computes it" (int .Values.terminationGracePeriodSeconds) $end) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.cpuPercent) (not .Values.autoscaling.requestsPerSecond) -}}
{{- fail "autoscaling.enabled is true: set autoscaling.cpuPercent or autoscaling.requestsPerSecond, or both" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas is %d: must be at most autoscaling.maxReplicas (%d)" (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.autoscaling.cpuPercent (not (.Values.resources.requests | default dict).cpu) -}}
{{- fail "autoscaling.cpuPercent is a percentage of resources.requests.cpu, which is not set" -}}
{{- end -}}
{{- $body := .Values.settings.REDPANE_BODY_LIMIT -}}
{{- if and $memory $body (gt (include "redpane.bytes" $body | int64) (include "redpane.bytes" $memory | int64)) -}}
{{- fail (printf "settings.REDPANE_BODY_LIMIT is %q: must be at most settings.REDPANE_CLIENT_MEMORY (%q), or no body of that size could arrive" (toString $body) (toString $memory)) -}}
{{- end -}}
{{- include "redpane.checkVariables" . -}}
{{- include "redpane.checkPorts" . -}}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" "logging_job" -}}
{{- if hasKey $.Values.podLabels . -}}
{{- fail (printf "podLabels.%q: must be left out, the chart sets it and objects select by it" .) -}}
{{- end -}}
{{- end -}}
{{- $rolling := .Values.updateStrategy.rollingUpdate | default dict -}}
{{- if and (ne .Values.updateStrategy.type "Recreate") (has (toString $rolling.maxSurge) (list "0" "0%")) (has (toString $rolling.maxUnavailable) (list "0" "0%")) -}}
{{- fail "updateStrategy.rollingUpdate: maxSurge and maxUnavailable are both 0: one of them must be more, or no pod could be replaced" -}}
{{- end -}}
{{- if gt (len (include "redpane.app" .)) 63 -}}
{{- fail (printf "app is %q: a label of Kubernetes has at most 63 characters" (include "redpane.app" .)) -}}
{{- end -}}
{{- end -}}

{{/* Variables that the chart writes itself: a second value of one would be refused by Kubernetes, or differ from probes and ports. */}}
{{- define "redpane.checkVariables" -}}
{{- $elsewhere := dict "REDPANE_LISTEN" "containerPort" "REDPANE_METRICS_LISTEN" "metrics.port" "REDPANE_APP" "app" "OTEL_SERVICE_NAME" "app" -}}
{{- range $name, $value := .Values.settings -}}
{{- if hasKey $elsewhere $name -}}
{{- fail (printf "settings.%s: set %s instead, from which probes, ports and labels are made too" $name (get $elsewhere $name)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.env -}}
{{- if hasKey $elsewhere .name -}}
{{- fail (printf "env: %s is written by the chart: set %s instead" .name (get $elsewhere .name)) -}}
{{- else if or (hasKey $.Values.settings .name) (eq .name "REDPANE_LAST_SCRAPE") -}}
{{- fail (printf "env: %s is written by the chart: set settings.%s instead" .name .name) -}}
{{- else if has .name (list "POD_NAME" "POD_NAMESPACE" "NODE_NAME") -}}
{{- fail (printf "env: %s is written by the chart: choose another name" .name) -}}
{{- else if and (eq .name "OTEL_EXPORTER_OTLP_ENDPOINT") $.Values.tracing.endpoint -}}
{{- fail "env: OTEL_EXPORTER_OTLP_ENDPOINT is written by the chart: leave it out or unset tracing.endpoint" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "redpane.checkPorts" -}}
{{- $outside := list "NodePort" "LoadBalancer" -}}
{{- $balancer := list "LoadBalancer" -}}
{{- range $option, $types := dict "externalTrafficPolicy" $outside "nodePort" $outside "loadBalancerClass" $balancer "loadBalancerSourceRanges" $balancer -}}
{{- if and (get $.Values.service $option) (not (has $.Values.service.type $types)) -}}
{{- fail (printf "service.%s: needs service.type %s" $option (join " or " $types)) -}}
{{- end -}}
{{- end -}}
{{- $own := eq (include "redpane.metricsPortName" .) "metrics" -}}
{{- if and $own (eq (include "redpane.metricsService" .) (include "redpane.name" .)) (eq (int .Values.service.port) (int .Values.metrics.port)) -}}
{{- fail (printf "service.port and metrics.port are both %d: must be different, the Service has both" (int .Values.service.port)) -}}
{{- end -}}
{{- if and .Values.networkPolicy.metricsFrom (not $own) -}}
{{- fail "networkPolicy.metricsFrom: needs metrics.port, another one than containerPort; on the port of the API networkPolicy.from says who may read them" -}}
{{- end -}}
{{- end -}}
