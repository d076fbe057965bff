{{- /* The configuration as it is mounted: what the values say, with what the chart alone knows. */ -}}
{{- define "privacy-monitor.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $static := eq .Values.workers.kind "StatefulSet" -}}
{{- $client := dict -}}
{{- if $static -}}
{{- $client = dict "session.timeout.ms" (mul (int .Values.workers.sessionTimeoutSeconds) 1000) -}}
{{- end -}}
{{- if .Values.certManager.enabled -}}
{{- $client = merge $client (dict
      "ssl.certificate.location" "/run/secrets/privacy-monitor/kafka-client.crt"
      "ssl.key.location" "/run/secrets/privacy-monitor/kafka-client.key") -}}
{{- end -}}
{{- $_ := set $config "kafka" (mergeOverwrite (dict "static_membership" $static "client" $client) $config.kafka) -}}
{{- $_ := set $config "http" (mergeOverwrite (dict "host" "0.0.0.0" "port" 9464) (default dict $config.http)) -}}
{{- $secret := dict "secret" (dict "file" "/run/secrets/privacy-monitor/subject.key") -}}
{{- $_ := set $config "subjects" (merge (default dict $config.subjects) $secret) -}}
{{- $_ := set $config "data" (default "/usr/share/privacy-monitor/data" $config.data) -}}
{{- if .Values.ledger.enabled -}}
{{- $_ := set $config "consent" (merge (default dict $config.consent) (dict "path" "/var/lib/privacy-monitor/ledger")) -}}
{{- else -}}
{{- $_ := set $config "consent" nil -}}
{{- end -}}
{{- if $config.notify -}}
{{- $_ := set $config "notify" (merge $config.notify (dict "spool" "/var/lib/privacy-monitor/notify.sqlite")) -}}
{{- end -}}
{{- $knowledge := "/etc/privacy-monitor/knowledge" -}}
{{- with .Values.knowledge -}}
{{- $rules := list -}}
{{- if .rules }}{{ $rules = append $rules (printf "%s/rules" $knowledge) }}{{ end -}}
{{- if .rulesFrom }}{{ $rules = append $rules "/etc/privacy-monitor/rules" }}{{ end -}}
{{- with $rules }}{{ $_ := set $config "rules" . }}{{ end -}}
{{- if .exemptions }}{{ $_ := set $config "exemptions" (list (printf "%s/exemptions" $knowledge)) }}{{ end -}}
{{- if .law }}{{ $_ := set $config "law" (list (printf "%s/law" $knowledge)) }}{{ end -}}
{{- range $name := list "register" "needs" "baseline" "types" -}}
{{- if index $.Values.knowledge $name }}{{ $_ := set $config $name (printf "%s/%s/%s.yaml" $knowledge $name $name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* Ports of the brokers: as given, or those of the configuration. A JSON list. */ -}}
{{- define "privacy-monitor.kafkaPorts" -}}
{{- $ports := .Values.networkPolicy.kafkaPorts -}}
{{- if not $ports -}}
{{- range regexFindAll ":[0-9]+" .Values.config.kafka.bootstrap_servers -1 -}}
{{- $ports = append $ports (trimPrefix ":" . | int) -}}
{{- end -}}
{{- end -}}
{{- if not $ports -}}
{{- fail "networkPolicy.kafkaPorts: config.kafka.bootstrap_servers names no port, so say here which ports the brokers listen on" -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{- /* Mistakes that a schema cannot say. */ -}}
{{- define "privacy-monitor.refuse" -}}
{{- $config := .Values.config -}}
{{- range (.Files.Get "files/facts.json" | fromJson).secretSettings }}
{{- if hasKey (dig "kafka" "client" dict $config) . -}}
{{- fail (printf "config.kafka.client: %s is a secret; name it under config.kafka.secrets with the file that `secrets` makes of it" .) -}}
{{- end -}}
{{- end -}}
{{- $secret := dig "subjects" "secret" dict $config -}}
{{- $files := list -}}
{{- range .Values.secrets }}{{ $files = append $files .file }}{{ end -}}
{{- if and (not $secret) (not (has "subject.key" $files)) -}}
{{- fail "secrets: no entry makes the file subject.key, the key under which persons are hashed; name the Secret that holds it" -}}
{{- end -}}
{{- if ne (len $files) (len (uniq $files)) -}}
{{- fail "secrets: two entries make the same file" -}}
{{- end -}}
{{- if and (eq .Values.workers.kind "Deployment") (dig "kafka" "static_membership" false $config) -}}
{{- fail "workers.kind: pods of a Deployment have new names after each start, so config.kafka.static_membership needs a StatefulSet" -}}
{{- end -}}
{{- if and (ne .Values.autoscaling.kind "none") (gt (int .Values.autoscaling.minReplicas) (int (include "privacy-monitor.mostPods" .))) -}}
{{- fail "autoscaling.minReplicas: more pods than autoscaling.partitions give work" -}}
{{- end -}}
{{- if and .Values.strimzi.enabled (not .Values.strimzi.cluster) -}}
{{- fail "strimzi.cluster: name the Kafka resource whose operator makes the topics" -}}
{{- end -}}
{{- if and .Values.certManager.enabled (not .Values.certManager.issuer.name) -}}
{{- fail "certManager.issuer.name: name the issuer that signs the client certificate" -}}
{{- end -}}
{{- end -}}
