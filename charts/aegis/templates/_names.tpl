{{- define "aegis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "aegis.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "aegis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "aegis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "aegis.labels" -}}
{{ include "aegis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "aegis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aegis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "aegis.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if eq $tag "latest" -}}
{{- fail "image.tag must not be latest: nobody could tell what runs" -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{- define "aegis.keysSecretName" -}}
{{- default (printf "%s-api-keys" (include "aegis.fullname" .)) .Values.api.keysSecret.name -}}
{{- end -}}

{{- /* Names of the enabled actions, as ENABLED_ACTIONS wants them. */ -}}
{{- define "aegis.enabledActions" -}}
{{- $names := list -}}
{{- if not .Values.dryRun -}}
{{- if .Values.actions.restartPod.enabled }}{{ $names = append $names "restart_pod" }}{{ end -}}
{{- if .Values.actions.scaleUp.enabled }}{{ $names = append $names "scale_up" }}{{ end -}}
{{- if .Values.actions.scaleDown.enabled }}{{ $names = append $names "scale_down" }}{{ end -}}
{{- $throttle := .Values.actions.throttleApi -}}
{{- if or $throttle.envoyGateway $throttle.istio $throttle.ingressNginx $throttle.hook.url }}{{ $names = append $names "throttle_api" }}{{ end -}}
{{- if .Values.actions.clearCache.enabled }}{{ $names = append $names "clear_cache" }}{{ end -}}
{{- end -}}
{{- default "none" (join "," $names) -}}
{{- end -}}

{{- /* What throttle_api may use, as THROTTLE_PROVIDERS wants it. */ -}}
{{- define "aegis.throttleProviders" -}}
{{- $names := list -}}
{{- with .Values.actions.throttleApi -}}
{{- if .envoyGateway }}{{ $names = append $names "EnvoyGateway" }}{{ end -}}
{{- if .istio }}{{ $names = append $names "Istio" }}{{ end -}}
{{- if .ingressNginx }}{{ $names = append $names "IngressNginx" }}{{ end -}}
{{- end -}}
{{- default "none" (join "," $names) -}}
{{- end -}}

{{- /* User names that count as Aegis in admission policies, as a CEL list. */ -}}
{{- define "aegis.operatorUsers" -}}
{{- $own := printf "system:serviceaccount:%s:%s" .Release.Namespace (include "aegis.serviceAccountName" .) -}}
{{- $all := prepend .Values.admissionPolicies.extraOperators $own -}}
[{{- range $index, $user := $all }}{{ if $index }}, {{ end }}'{{ $user }}'{{- end }}]
{{- end -}}

{{- /* The port of an address: the one that it names, else that of its scheme. */ -}}
{{- define "aegis.portOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- if $port }}{{ $port }}{{ else if eq $url.scheme "https" }}443{{ else }}80{{ end -}}
{{- end -}}

{{- define "aegis.checks" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.database.urlSecret.name) -}}
{{- fail "replicas above 1 need database.urlSecret.name: SQLite belongs to one pod" -}}
{{- end -}}
{{- if not .Values.prometheus.url -}}
{{- fail "prometheus.url is needed: without metrics nothing can be judged. For instance --set prometheus.url=http://prometheus.monitoring:9090" -}}
{{- end -}}
{{- /* Only a real cluster tells its kinds; a mere rendering knows groups alone. */ -}}
{{- if and .Values.admissionPolicies.enabled (.Capabilities.APIVersions.Has "apps/v1/Deployment") (not (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy")) -}}
{{- fail "this cluster knows no ValidatingAdmissionPolicy, which came with Kubernetes 1.30; without it (admissionPolicies.enabled=false) whoever may create actions can make Aegis act" -}}
{{- end -}}
{{- if and .Values.actions.throttleApi.hook.url (not .Values.actions.throttleApi.hook.secret.name) -}}
{{- fail "actions.throttleApi.hook.secret.name is needed with hook.url: an unsigned call could be anybody's" -}}
{{- end -}}
{{- if and .Values.database.urlSecret.name .Values.persistence.existingClaim -}}
{{- fail "persistence.existingClaim is of no use with database.urlSecret.name" -}}
{{- end -}}
{{- range $name, $value := .Values.config -}}
{{- if regexMatch "(API_KEY|DATABASE_URL)$" $name -}}
{{- fail (printf "config.%s is a credential: mount it as a file (api.keysSecret, database.urlSecret)" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
