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
{{- if and .Values.actions.scaleUp.enabled .Values.actions.scaleUp.raiseAutoscalerMinimum }}
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, patch]
{{- end }}
{{- end -}}
{{- end -}}
