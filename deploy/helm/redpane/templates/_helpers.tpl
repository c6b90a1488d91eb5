{{/* The name of everything: `helm install orders` makes the Service `orders`. At most 63 characters are a DNS label, which has no dots. */}}
{{- define "redpane.name" -}}
{{- .Release.Name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The word `app` of metrics, lines and spans. */}}
{{- define "redpane.app" -}}
{{- .Values.app | default .Release.Name -}}
{{- end -}}

{{- define "redpane.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "redpane.labels" -}}
{{ include "redpane.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "redpane.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "redpane.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end -}}

{{- define "redpane.image" -}}
{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "redpane.metricsPort" -}}
{{- .Values.metrics.port | default .Values.containerPort -}}
{{- end -}}

{{/* The name of the port of metrics, in the container and in the Service. */}}
{{- define "redpane.metricsPortName" -}}
{{- if and .Values.metrics.port (ne (int .Values.metrics.port) (int .Values.containerPort)) }}metrics{{ else }}http{{ end -}}
{{- end -}}

{{/* The Service that has the own port of metrics: one inside of the cluster, so that who may call the API from outside cannot read them. */}}
{{- define "redpane.metricsService" -}}
{{- include "redpane.name" . }}{{ if and (eq (include "redpane.metricsPortName" .) "metrics") (ne .Values.service.type "ClusterIP") }}-metrics{{ end -}}
{{- end -}}

{{/* A duration of the service (25s, 1m 30s, 500ms) in whole seconds, rounded up. */}}
{{- define "redpane.seconds" -}}
{{- $factors := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 -}}
{{- $sum := 0.0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" (toString .) -1 -}}
{{- $unit := regexFind "[a-z]+" . -}}
{{- $sum = addf $sum (mulf (regexFind "[0-9]+" . | float64) (get $factors $unit)) -}}
{{- end -}}
{{- ceil $sum -}}
{{- end -}}

{{/* Seconds in which a pod waits for its last scrape: what the setting says, else the interval of scrapes and 5 s. */}}
{{- define "redpane.lastScrape" -}}
{{- with .Values.settings.REDPANE_LAST_SCRAPE -}}
{{- include "redpane.seconds" . -}}
{{- else -}}
{{- min 3600 (add (include "redpane.seconds" .Values.serviceMonitor.interval | int) 5) -}}
{{- end -}}
{{- end -}}

{{/* Seconds from the decision to end a pod until its last scrape, when all of them take as long as they may. */}}
{{- define "redpane.endSeconds" -}}
{{- $pause := ternary 0 (int .Values.shutdown.pauseSeconds) (eq (include "redpane.pauseBy" .) "none") -}}
{{- $grace := include "redpane.seconds" (.Values.settings.REDPANE_SHUTDOWN_GRACE | default "25s") | int -}}
{{- add $pause $grace (include "redpane.lastScrape" . | int) -}}
{{- end -}}

{{/* A size of the service (64MiB, 1MB, 65536) or of Kubernetes (256Mi, 1G) in bytes. */}}
{{- define "redpane.bytes" -}}
{{- $factors := dict "" 1 "K" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "KI" 1024 "MI" 1048576 "GI" 1073741824 "TI" 1099511627776 -}}
{{- $unit := regexFind "[A-Za-z]+$" (toString .) | upper | trimSuffix "B" -}}
{{- if not (hasKey $factors $unit) -}}{{ fail (printf "%q is no size that this chart understands: use 256Mi, 64MiB or bytes" (toString .)) }}{{- end -}}
{{- mulf (regexFind "^[0-9.]+" (toString .) | float64) (get $factors $unit | float64) | int64 -}}
{{- end -}}

{{/* "true" where an object of the Prometheus Operator is wanted: (dict "enabled" … "kind" … "root" $) */}}
{{- define "redpane.operator" -}}
{{- if eq (toString .enabled) "auto" -}}
{{- if .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) }}true{{ end -}}
{{- else if .enabled }}true{{ end -}}
{{- end -}}

{{/* sleep, exec or none: how the pause before the signal is made. */}}
{{- define "redpane.pauseBy" -}}
{{- if ne .Values.shutdown.pauseBy "auto" -}}{{ .Values.shutdown.pauseBy }}
{{- else if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version -}}sleep{{ else }}exec{{ end -}}
{{- end -}}

{{/* The affinity of the values, and pods spread over zones unless it says what pods keep away from. Not a second topology spread
constraint: where nodes have no zone, the scheduler counts for none of them, and pods are not spread over nodes either. */}}
{{- define "redpane.affinity" -}}
{{- $affinity := deepCopy (.Values.affinity | default dict) -}}
{{- if and .Values.spread.enabled .Values.spread.zones (not (hasKey $affinity "podAntiAffinity")) -}}
{{- $term := dict "topologyKey" "topology.kubernetes.io/zone" "labelSelector" (dict "matchLabels" (include "redpane.selectorLabels" . | fromYaml)) -}}
{{- if semverCompare ">=1.31.0-0" .Capabilities.KubeVersion.Version -}}
{{- $_ := set $term "matchLabelKeys" (list "pod-template-hash") -}}
{{- end -}}
{{- $preferred := list (dict "weight" 100 "podAffinityTerm" $term) -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred) -}}
{{- end -}}
{{- toYaml $affinity -}}
{{- end -}}

{{/* Annotations of pods; those of the values replace the chart's. */}}
{{- define "redpane.podAnnotations" -}}
{{- $own := dict "prometheus.io/scrape" "true" "prometheus.io/port" (include "redpane.metricsPort" .) "prometheus.io/path" .Values.metrics.path -}}
{{- merge (deepCopy .Values.podAnnotations) $own | toYaml -}}
{{- end -}}
