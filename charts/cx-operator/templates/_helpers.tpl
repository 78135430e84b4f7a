{{- define "cx.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "cx.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "cx.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "cx.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What Services, policies and the workload select pods by. It must not change between versions. */ -}}
{{- define "cx.selector" -}}
app.kubernetes.io/name: cx-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "cx.labels" -}}
{{ include "cx.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- with omit .Values.commonLabels "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The metadata of an object: (list root name kind-specific-labels kind-specific-annotations namespace); "" of the namespace for none. */ -}}
{{- define "cx.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 | quote }}
{{- with index . 4 }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- mustMergeOverwrite (deepCopy (index . 2)) (include "cx.labels" $root | fromYaml) | toYaml | nindent 2 }}
{{- with mustMergeOverwrite (deepCopy $root.Values.commonAnnotations) (index . 3) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "cx.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "cx.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "cx.image" -}}
{{- with .Values.image.registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest -}}
@{{ .Values.image.digest }}
{{- else -}}
:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* The schema allows nothing but 1 with embedded.enabled; two writers of one SQLite file would end each other. */ -}}
{{- define "cx.replicas" -}}
{{- if .Values.embedded.enabled -}}
1
{{- else -}}
{{- .Values.replicas | default 2 | int -}}
{{- end -}}
{{- end -}}

{{- define "cx.subject" -}}
- kind: ServiceAccount
  name: {{ include "cx.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end -}}

{{- /* Fails with a plain message where an API is absent: (list root api "value that asks for it"). */ -}}
{{- define "cx.needs" -}}
{{- $root := index . 0 -}}
{{- if not ($root.Capabilities.APIVersions.Has (index . 1)) -}}
{{- fail (printf "%s needs the API %s, which this cluster does not have. Install it first, or leave the value false. (Offline, \"helm template --api-versions %s\" says that it is there.)" (index . 2) (index . 1) (index . 1)) -}}
{{- end -}}
{{- end -}}
