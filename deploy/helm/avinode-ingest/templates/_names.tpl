{{- define "avinode-ingest.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 50 characters: suffixes follow, and a name has at most 63. */}}
{{- define "avinode-ingest.fullname" -}}
{{- $name := include "avinode-ingest.name" . -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The labels of selectors, which never change. */}}
{{- define "avinode-ingest.selector" -}}
app.kubernetes.io/name: {{ include "avinode-ingest.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "avinode-ingest.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "avinode-ingest.podLabels" . }}
{{- end }}

{{- define "avinode-ingest.podLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "avinode-ingest.selector" . }}
{{- end }}

{{- define "avinode-ingest.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "avinode-ingest.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "avinode-ingest.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "avinode-ingest.secret" -}}
{{- required "secret.existingSecret is required: the name of a Secret with DATABASE_URL and the secrets of the webhook (docs/kubernetes.md)" .Values.secret.existingSecret }}
{{- end }}
