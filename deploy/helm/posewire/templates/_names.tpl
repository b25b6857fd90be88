{{- define "posewire.name" -}}
{{- if contains "posewire" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-posewire" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "posewire.selector" -}}
app.kubernetes.io/name: posewire
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "posewire.labels" -}}
{{ include "posewire.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
