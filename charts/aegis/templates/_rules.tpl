{{- /* Rights in the watched namespaces that every installation needs: read, and write on Aegis's own kinds. */ -}}
{{- define "aegis.rules.base" -}}
- apiGroups: [healing.aegis.dev]
  resources: [aegishealingpolicies]
  verbs: [list, watch]
- apiGroups: [healing.aegis.dev]
  resources: [aegishealingpolicies/status, aegishealingactions/status]
  verbs: [patch]
- apiGroups: [healing.aegis.dev]
  resources: [aegishealingactions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: ['']
  resources: [events, resourcequotas]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list, watch]
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: [get, list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch]
- apiGroups: [autoscaling.k8s.io]
  resources: [verticalpodautoscalers]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.podLogs.enabled }}
- apiGroups: ['']
  resources: [pods/log]
  verbs: [get]
{{- end }}
{{- if .Values.evidence.network }}
- apiGroups: ['']
  resources: [services]
  verbs: [list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list]
{{- end }}
{{- if .Values.evidence.credentials }}
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [list]
- apiGroups: [external-secrets.io]
  resources: [externalsecrets]
  verbs: [list]
{{- end }}
{{- if .Values.evidence.configMaps }}
- apiGroups: ['']
  resources: [configmaps]
  verbs: [get]
{{- end }}
{{- end -}}

{{- /* Rights of the enabled actions, each behind its own switch. */ -}}
{{- define "aegis.rules.actions" -}}
{{- if not .Values.dryRun -}}
{{- if .Values.actions.restartPod.enabled }}
- apiGroups: ['']
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [patch]
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: [patch]
{{- end }}
{{- if or .Values.actions.scaleUp.enabled .Values.actions.scaleDown.enabled }}
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, update]
- apiGroups: [argoproj.io]
  resources: [rollouts/scale]
  verbs: [get, update]
{{- end }}
{{- with .Values.actions.throttleApi }}
{{- if .envoyGateway }}
- apiGroups: [gateway.envoyproxy.io]
  resources: [backendtrafficpolicies]
  verbs: [get, list, create, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list]
{{- end }}
{{- if .istio }}
- apiGroups: [networking.istio.io]
  resources: [envoyfilters]
  verbs: [get, list, create, delete]
{{- end }}
{{- if .ingressNginx }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, patch]
{{- end }}
{{- if or .envoyGateway .ingressNginx }}
- apiGroups: ['']
  resources: [services]
  verbs: [get]
{{- end }}
{{- end }}
{{- if and .Values.actions.scaleUp.enabled .Values.actions.scaleUp.raiseAutoscalerMinimum }}
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, patch]
{{- end }}
{{- end -}}
{{- end -}}
