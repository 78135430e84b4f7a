{{- /* The pod of the operator, as a pod template's content. */ -}}
{{- define "cx.pod" -}}
metadata:
  labels:
    {{- mustMergeOverwrite (deepCopy .Values.commonLabels) .Values.podLabels (include "cx.selector" . | fromYaml) | toYaml | nindent 4 }}
  {{- with mustMergeOverwrite (deepCopy .Values.commonAnnotations) .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "cx.serviceAccountName" . | quote }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    {{- if .Values.embedded.enabled }}
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    {{- end }}
    seccompProfile:
      type: RuntimeDefault
  containers:
  - name: manager
    image: {{ include "cx.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args:
      {{- include "cx.args" . | nindent 4 }}
    env:
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          fieldPath: metadata.namespace
    {{- if .Values.feedbackApi.enabled }}
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    {{- end }}
    ports:
    {{- if .Values.embedded.enabled }}
    - name: survey
      containerPort: 8080
    {{- end }}
    - name: metrics
      containerPort: 8443
    {{- if .Values.feedbackApi.enabled }}
    - name: feedback
      containerPort: 6443
    {{- end }}
    - name: probes
      containerPort: 8081
    livenessProbe:
      httpGet:
        path: /healthz
        port: probes
      periodSeconds: 20
    readinessProbe:
      {{- if .Values.embedded.enabled }}
      tcpSocket:
        port: survey
      {{- else }}
      httpGet:
        path: /readyz
        port: probes
      {{- end }}
      periodSeconds: 5
    {{- with .Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
    {{- if .Values.embedded.enabled }}
    - name: data
      mountPath: /var/lib/cx-operator
    {{- end }}
    - name: tmp
      mountPath: /tmp
    {{- with .Values.notifications.smtp }}
    {{- if .passwordSecretRef.name }}
    - name: smtp-password
      mountPath: /etc/cx-operator/smtp-password
      readOnly: true
    {{- end }}
    {{- if .caConfigMap.name }}
    - name: smtp-ca
      mountPath: /etc/cx-operator/smtp-ca
      readOnly: true
    {{- end }}
    {{- end }}
  volumes:
  {{- if and .Values.embedded.enabled .Values.embedded.persistence.existingClaim }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ .Values.embedded.persistence.existingClaim | quote }}
  {{- end }}
  - name: tmp
    emptyDir: {}
  {{- with .Values.notifications.smtp }}
  {{- if .passwordSecretRef.name }}
  - name: smtp-password
    secret:
      secretName: {{ .passwordSecretRef.name | quote }}
      items:
      - key: {{ .passwordSecretRef.key | quote }}
        path: password
  {{- end }}
  {{- if .caConfigMap.name }}
  - name: smtp-ca
    configMap:
      name: {{ .caConfigMap.name | quote }}
      items:
      - key: {{ .caConfigMap.key | quote }}
        path: ca.crt
  {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if not .Values.embedded.enabled }}
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "cx.selector" . | nindent 8 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
{{- end -}}

{{- define "cx.args" -}}
- manager
{{- if .Values.embedded.enabled }}
- --leader-elect=false # a StatefulSet runs one pod at most, and after a crash it would wait for its own lease to expire
- --embedded-endpoint
- --data-dir=/var/lib/cx-operator
- {{ printf "--public-url=%s" (.Values.embedded.publicURL | default (printf "http://%s.%s.svc:8080" (include "cx.fullname" .) .Release.Namespace)) | quote }}
- {{ printf "--intake-rate-per-minute=%d" (int .Values.embedded.ratePerMinute) | quote }}
- {{ printf "--intake-rate-burst=%d" (int .Values.embedded.rateBurst) | quote }}
{{- with .Values.embedded.trustedProxies }}
- {{ printf "--intake-trusted-proxies=%s" (join "," .) | quote }}
{{- end }}
{{- else }}
- --leader-elect=true
{{- end }}
{{- if .Values.feedbackApi.enabled }}
- --feedback-api-bind-address=:6443
- {{ printf "--feedback-api-service=%s/%s-feedback" .Release.Namespace (include "cx.fullname" .) | quote }}
{{- end }}
{{- with .Values.notifications.smtp }}
{{- if .address }}
- {{ printf "--smtp-address=%s" .address | quote }}
- {{ printf "--smtp-from=%s" .from | quote }}
{{- with .username }}
- {{ printf "--smtp-username=%s" . | quote }}
{{- end }}
{{- if .passwordSecretRef.name }}
- --smtp-password-file=/etc/cx-operator/smtp-password/password
{{- end }}
{{- if .caConfigMap.name }}
- --smtp-ca-file=/etc/cx-operator/smtp-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.notifications.allowTargets }}
- {{ printf "--notify-allow-targets=%s" (join "," .) | quote }}
{{- end }}
- {{ printf "--endpoint-image=%s" (include "cx.image" .) | quote }}
- {{ printf "--endpoint-image-pull-policy=%s" .Values.image.pullPolicy | quote }}
{{- with .Values.imagePullSecrets }}
{{- $names := list }}{{ range . }}{{ $names = append $names .name }}{{ end }}
- {{ printf "--endpoint-image-pull-secrets=%s" (join "," $names) | quote }}
{{- end }}
{{- with .Values.monitoring.namespaces }}
- {{ printf "--monitoring-namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.watchNamespaces }}
- {{ printf "--watch-namespaces=%s" (join "," .) | quote }}
{{- end }}
- {{ printf "--workers=%d" (int .Values.manager.workers) | quote }}
- {{ printf "--api-qps=%v" .Values.manager.apiQPS | quote }}
- {{ printf "--stale-after=%s" .Values.manager.staleAfter | quote }}
{{- if .Values.manager.logDevelopment }}
- --log-development
{{- end }}
{{- range .Values.manager.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}
