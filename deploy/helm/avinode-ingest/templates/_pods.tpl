{{/* The parts of a pod that all pods have. */}}
{{- define "avinode-ingest.podBasics" -}}
automountServiceAccountToken: false
# Variables such as AVINODE_INGEST_PORT would be taken for unknown settings.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "avinode-ingest.containerBasics" -}}
image: {{ include "avinode-ingest.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* The program reads each secret setting from a file of its name in this folder. */}}
{{- define "avinode-ingest.credentials" -}}
/run/secrets/avinode-ingest
{{- end }}

{{- define "avinode-ingest.mounts" -}}
- name: secrets
  mountPath: {{ include "avinode-ingest.credentials" . }}
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* secret: the name of the Secret; items: the keys of it, default all. */}}
{{- define "avinode-ingest.volumes" -}}
- name: secrets
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    {{- with .items }}
    items:
      {{- toYaml . | nindent 6 }}
    {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A Deployment of a role: root, role. */}}
{{- define "avinode-ingest.deployment" -}}
{{- $values := index .root.Values .role -}}
{{- $drain := default 0 $values.drainDelaySeconds | int -}}
{{- $name := printf "%s-%s" (include "avinode-ingest.fullname" .root) .role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "avinode-ingest.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  replicas: {{ $values.replicas }}
  # A new pod is ready before an old one ends. Old and new programs can work on one database.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "avinode-ingest.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      labels:
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "avinode-ingest.podLabels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
        avinode-ingest/admin: "true"
      annotations:
        # New settings replace the pods, which read them at their start.
        checksum/settings: {{ include "avinode-ingest.settings" .root | sha256sum }}
        avinode-ingest/secret-revision: {{ .root.Values.secret.revision | quote }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "avinode-ingest.podBasics" .root | nindent 6 }}
      serviceAccountName: {{ include "avinode-ingest.serviceAccount" .root }}
      # After SIGTERM: the drain delay, then INGEST_SHUTDOWN_TIMEOUT, and time to release what is left.
      terminationGracePeriodSeconds: {{ add $drain (int .root.Values.shutdownTimeoutSeconds) 10 }}
      containers:
        - name: avinode-ingest
          {{- include "avinode-ingest.containerBasics" .root | nindent 10 }}
          args: [serve]
          envFrom:
            - configMapRef:
                name: {{ include "avinode-ingest.fullname" .root }}
          env:
            - name: INGEST_ROLE
              value: {{ .role }}
            - name: INGEST_DRAIN_DELAY
              value: {{ $drain }}s
            - name: CREDENTIALS_DIRECTORY
              value: {{ include "avinode-ingest.credentials" .root }}
            {{- with concat .root.Values.extraEnv $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ .root.Values.ports.http }}
            - name: admin
              containerPort: {{ .root.Values.ports.admin }}
          # /livez does not need the database: no restart can repair it.
          startupProbe:
            httpGet:
              path: /livez
              port: admin
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /livez
              port: admin
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          # A check of /readyz takes at most 2 s.
          readinessProbe:
            httpGet:
              path: /readyz
              port: admin
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- include "avinode-ingest.mounts" .root | nindent 12 }}
      volumes:
        {{- include "avinode-ingest.volumes" (dict "root" .root "secret" (include "avinode-ingest.secret" .root)) | nindent 8 }}
      {{- with .root.Values.topologySpread }}
      topologySpreadConstraints:
        {{- range . }}
        - {{ toYaml . | nindent 10 | trim }}
          labelSelector:
            matchLabels:
              {{- include "avinode-ingest.selector" $.root | nindent 14 }}
              app.kubernetes.io/component: {{ $.role }}
        {{- end }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
