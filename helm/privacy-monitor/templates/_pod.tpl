{{- /* What every pod has. Takes (list $ "component" $scheduling). */ -}}
{{- define "privacy-monitor.podMetadata" -}}
{{- $top := index . 0 -}}
{{- $scheduling := index . 2 -}}
labels:
  {{- include "privacy-monitor.labels" (list $top (index . 1)) | nindent 2 }}
  {{- with $scheduling.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/config: {{ include "privacy-monitor.config" $top | sha256sum }}
  {{- if $top.Values.knowledge.restartOnChange }}
  checksum/knowledge: {{ omit $top.Values.knowledge "restartOnChange" | toJson | sha256sum }}
  {{- end }}
  {{- with $scheduling.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- /* Identity, security and place of a pod. Takes (list $ "component" $scheduling). */ -}}
{{- define "privacy-monitor.podSpec" -}}
{{- $top := index . 0 -}}
{{- $scheduling := index . 2 -}}
serviceAccountName: {{ include "privacy-monitor.serviceAccount" $top }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $top.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- if $scheduling.topologySpreadConstraints }}
  {{- toYaml $scheduling.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "privacy-monitor.selector" (list $top (index $ 1)) | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- /* What every container has. Takes (list $ "command" …arguments). */ -}}
{{- define "privacy-monitor.container" -}}
{{- $top := index . 0 -}}
image: {{ include "privacy-monitor.image" $top }}
imagePullPolicy: {{ $top.Values.image.pullPolicy }}
args:
  {{- range rest . }}
  - {{ . | toString | quote }}
  {{- end }}
  - --config
  - /etc/privacy-monitor/monitor.yaml
workingDir: /tmp
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with $top.Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $top.Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "privacy-monitor.mounts" -}}
{{- range .Values.knowledge.rulesFrom }}
- {name: rules-{{ .pack }}, mountPath: /etc/privacy-monitor/rules/{{ .pack }}, readOnly: true}
{{- end }}
- {name: config, mountPath: /etc/privacy-monitor/monitor.yaml, subPath: monitor.yaml, readOnly: true}
- {name: knowledge, mountPath: /etc/privacy-monitor/knowledge, readOnly: true}
- {name: secrets, mountPath: /run/secrets/privacy-monitor, readOnly: true}
- {name: scratch, mountPath: /tmp}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "privacy-monitor.volumes" -}}
- name: config
  configMap: {name: {{ include "privacy-monitor.fullname" . }}-config}
- name: knowledge
  projected:
    sources:
      - configMap:
          name: {{ include "privacy-monitor.fullname" . }}-knowledge
          {{- $items := list }}
          {{- range $id, $_ := .Values.knowledge.rules }}
          {{- $items = append $items (dict "key" (printf "rules.%s.yaml" $id) "path" (printf "rules/%s/%s.yaml" (splitList "." $id | first) $id)) }}
          {{- end }}
          {{- range $id, $_ := .Values.knowledge.exemptions }}
          {{- $items = append $items (dict "key" (printf "exemptions.%s.yaml" $id) "path" (printf "exemptions/%s.yaml" $id)) }}
          {{- end }}
          {{- range $id, $_ := .Values.knowledge.law }}
          {{- $items = append $items (dict "key" (printf "law.%s.yaml" (replace "/" "." $id)) "path" (printf "law/%s.yaml" $id)) }}
          {{- end }}
          {{- range $name := list "register" "needs" "baseline" "types" }}
          {{- if index $.Values.knowledge $name }}
          {{- $items = append $items (dict "key" (printf "%s.yaml" $name) "path" (printf "%s/%s.yaml" $name $name)) }}
          {{- end }}
          {{- end }}
          {{- with $items }}
          items:
            {{- toYaml . | nindent 12 }}
          {{- end }}
{{- range .Values.knowledge.rulesFrom }}
- name: rules-{{ .pack }}
  configMap: {name: {{ .configMap }}}
{{- end }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range .Values.secrets }}
      - secret:
          name: {{ .secret }}
          items:
            - {key: {{ .key | quote }}, path: {{ .file | quote }}}
      {{- end }}
      {{- if .Values.certManager.enabled }}
      - secret:
          name: {{ include "privacy-monitor.fullname" . }}-kafka-client
          items:
            - {key: tls.crt, path: kafka-client.crt}
            - {key: tls.key, path: kafka-client.key}
      {{- end }}
- name: scratch
  emptyDir: {}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Waits until a page answers, and starts the container anew when it no longer does. Takes (list "port" seconds). */ -}}
{{- define "privacy-monitor.probes" -}}
startupProbe:
  httpGet: {path: {{ index . 2 }}, port: {{ index . 0 }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div (int (index . 1)) 5 }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ index . 0 }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /healthz, port: {{ index . 0 }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
