{{- define "privacy-monitor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "privacy-monitor.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "privacy-monitor.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "privacy-monitor.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "privacy-monitor.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "privacy-monitor.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "privacy-monitor.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* What selects pods: never changed, for a StatefulSet cannot be. Takes (list $ "component"). */ -}}
{{- define "privacy-monitor.selector" -}}
{{- $top := index . 0 -}}
app.kubernetes.io/name: {{ include "privacy-monitor.name" $top }}
app.kubernetes.io/instance: {{ $top.Release.Name }}
{{- if index . 1 }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}
{{- end -}}

{{- /* Labels of every object. Takes (list $ "component"). */ -}}
{{- define "privacy-monitor.labels" -}}
{{- $top := index . 0 -}}
{{ include "privacy-monitor.selector" . }}
app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: privacy-monitor
app.kubernetes.io/managed-by: {{ $top.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | replace "+" "_" }}
{{- with $top.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Most worker pods that find work: all partitions, shared by the workers of each pod. */ -}}
{{- define "privacy-monitor.mostPods" -}}
{{- $workers := int .Values.workers.perPod -}}
{{- div (add (int .Values.autoscaling.partitions) $workers -1) $workers -}}
{{- end -}}
