{{/* What every container gets. */}}
{{- define "proof.container" -}}
securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
{{- end -}}

{{/* What the pods of engines get. */}}
{{- define "proof.pod" -}}
nodeSelector: {{ toYaml .Values.proof.nodeSelector | nindent 2 }}
securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
{{- end -}}
