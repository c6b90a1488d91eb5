{{/* A setting as text. A large whole number would be written as 1e+06. */}}
{{- define "redpane.setting" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* Variables of the container. Later ones win, so `env` of the values can replace any. */}}
{{- define "redpane.env" -}}
{{- $own := list -}}
{{- range .Values.env }}{{ $own = append $own .name }}{{ end -}}
- {name: OTEL_SERVICE_NAME, value: {{ include "redpane.app" . | quote }}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
{{- if not (has "OTEL_RESOURCE_ATTRIBUTES" $own) }}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.node.name=$(NODE_NAME)"}
{{- end }}
{{- with .Values.tracing.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- if ne (int .Values.containerPort) 8000 }}
- {name: REDPANE_LISTEN, value: {{ printf "0.0.0.0:%d" (int .Values.containerPort) | quote }}}
{{- end }}
{{- if eq (include "redpane.metricsPortName" .) "metrics" }}
- {name: REDPANE_METRICS_LISTEN, value: {{ printf "0.0.0.0:%d" (int .Values.metrics.port) | quote }}}
{{- end }}
{{- if not .Values.settings.REDPANE_LAST_SCRAPE }}
- {name: REDPANE_LAST_SCRAPE, value: {{ printf "%ss" (include "redpane.lastScrape" .) | quote }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}
- {name: {{ $name }}, value: {{ include "redpane.setting" $value | quote }}}
{{- end }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
