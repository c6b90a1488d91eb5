{{/* With an HPA: the number of pods that the Deployment has, where Helm must say it, or they would fall to 1 until the HPA looks again. That
is so where it has said a number before and nobody has changed it. A number that the HPA has set is the HPA's: to say it would keep it in
the release, and a rollback to that would be refused by Kubernetes (server-side apply) or undo what the HPA did. A Helm that patches on the
client must say it always, because to leave out what it said before takes the number away. */}}
{{- define "redpane.replicas" -}}
{{- with lookup "apps/v1" "Deployment" .Release.Namespace (include "redpane.name" .) -}}
{{- $applies := false -}}
{{- $said := false -}}
{{- range .metadata.managedFields -}}
{{- if and (eq .manager "helm") (eq .operation "Apply") -}}
{{- $applies = true -}}
{{- $said = hasKey (get .fieldsV1 "f:spec" | default dict) "f:replicas" -}}
{{- end -}}
{{- end -}}
{{- if or $said (not $applies) -}}
{{- max (int .spec.replicas) (int $.Values.autoscaling.minReplicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}
