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

{{- define "posewire.scaling" -}}
# Each removal moves streams: one pod at a time, and not for a short lull.
scaleDown:
  stabilizationWindowSeconds: 300
  policies: [{type: Pods, value: 1, periodSeconds: 60}]
{{- end -}}

{{- define "posewire.labels" -}}
{{ include "posewire.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
