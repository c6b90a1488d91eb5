{{/*
A query of the bundle, narrowed to this service: (dict "expr" … "app" …). Releases share a Prometheus, and each has its own rules: without
this all of them would record the same series. `app!="docker-reader"` is the bundle's way to say "all services"; recorded series
(app:…, app_route:…) and those that only services have stand there without one. "@" marks, in between, the names that had a selector.
*/}}
{{- define "redpane.narrow" -}}
{{- $name := "(app(?:_[a-z]+)*:[a-zA-Z0-9_]+:[a-zA-Z0-9_]+|log_lines_dropped_total|redpane_series_overflow_total)" -}}
{{- $app := printf "app=%q" .app -}}
{{- $expr := .expr | replace "app!=\"docker-reader\"" $app -}}
{{- $expr = regexReplaceAll (printf "%s\\{" $name) $expr (printf "${1}@{%s, " $app) -}}
{{- $expr = regexReplaceAll (printf "%s([^@a-zA-Z0-9_:]|$)" $name) $expr (printf "${1}{%s}${2}" $app) -}}
{{- $expr | replace "@{" "{" -}}
{{- end -}}

{{/*
Alerts of one file of Grafana's rules as rules of Prometheus: those of a service that compare one query with a number. no-metrics asks
whether Prometheus answers, which it cannot say itself.
*/}}
{{- define "redpane.alerts" -}}
{{- $root := .root -}}
{{- range .groups }}
{{- range $rule := .rules }}
{{- $query := "" }}{{ $limit := "" }}
{{- range .data }}
{{- if and (eq .refId "A") (eq .datasourceUid "prometheus") }}{{ $query = .model.expr }}{{ end }}
{{- if and (eq .refId "C") (eq .model.type "threshold") }}{{ $limit = (first (first .model.conditions).evaluator.params) | toString }}{{ end }}
{{- end }}
{{- if and $query $limit (ne .uid "no-metrics") }}
- alert: {{ .title | title | replace " " "" }}
  for: {{ .for }}
  expr: {{ printf "(\n%s) > %s" (include "redpane.narrow" (dict "expr" $query "app" (include "redpane.app" $root))) $limit | quote }}
  labels: {{- toYaml .labels | nindent 4 }}
  annotations:
    summary: {{ printf "{{ $labels.app }}: %s" .title | quote }}
    description: {{ .annotations.description | quote }}
    value: {{ "{{ $value }}" | quote }}
    {{- with $root.Values.grafana.url }}
    {{- $url := printf "%s/" (trimSuffix "/" .) }}
    {{- range $name := list "dashboard_url" "logs_url" "runbook_url" }}
    {{ $name }}: {{ get $rule.annotations $name | replace "{{ externalURL }}" $url | quote }}
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The rules of rules-stack.yaml that are about services. The others judge the bundle's own parts. */}}
{{- define "redpane.losses" -}}
{{- $groups := list -}}
{{- range (.Files.Get "files/alerting/rules-stack.yaml" | fromYaml).groups -}}
{{- $rules := list -}}
{{- range .rules }}{{ if has .uid (list "no-metrics" "log-lines-dropped" "series-overflow") }}{{ $rules = append $rules . }}{{ end }}{{ end -}}
{{- if $rules }}{{ $groups = append $groups (merge (dict "rules" $rules) (omit . "rules")) }}{{ end -}}
{{- end -}}
{{- dict "apiVersion" 1 "groups" $groups | toYaml -}}
{{- end -}}
