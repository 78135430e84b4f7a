package admission

// volumes are refused stores of Dedicated programs.
func volumes() []Case {
	return []Case{
		{"no size", Volume, "size: 10Gi", "size: 0", []string{"spec.sqlite.size", "size must be more than 0"}},
		{"a size below zero", Volume, "size: 10Gi", "size: -1Gi", []string{"spec.sqlite.size", "size must be more than 0"}},
		{"a size in words", Volume, "size: 10Gi", "size: much", []string{"spec.sqlite.size"}},
		{"an empty storage class", Volume, "storageClassName: fast", `storageClassName: ""`, []string{"spec.sqlite.storageClassName"}},
		{"an unknown deletion policy", Volume, "deletionPolicy: Delete", "deletionPolicy: Recycle", []string{"spec.deletionPolicy", `"Retain"`, `"Delete"`}},
		{"a database that is deleted", Volume, "sqlite: {size: 10Gi, storageClassName: fast}", "postgres: {connectionSecretRef: {name: db, key: uri}}",
			[]string{"spec.deletionPolicy", "deletionPolicy Delete is for sqlite only"}},
	}
}

// endpoints are refused endpoints of programs.
func endpoints() []Case {
	const (
		endpoint    = "spec.endpoint"
		needs       = "need mode Dedicated: the operator's own flags say so for Embedded programs"
		autoscaling = "autoscaling: {minReplicas: 2, maxReplicas: 10, targetCPUPercent: 60}"
		gateway     = "gateway: {parentRefs: [{name: public, namespace: gateways, sectionName: https}, {name: inside}]}"
	)
	embedded := func(name, set string) Case {
		return Case{name, SurveyProgram, "  survey:\n", "  endpoint: {" + set + "}\n  survey:\n", []string{endpoint, needs}}
	}
	return []Case{
		embedded("replicas in the operator", "replicas: 2"),
		embedded("autoscaling in the operator", "mode: Embedded, autoscaling: {maxReplicas: 3}"),
		embedded("exposure of the operator", "exposure: {hostname: a.example.org, ingress: {}}"),
		embedded("pod of the operator", "pod: {priorityClassName: high}"),
		embedded("rate limit of the operator", "rateLimit: {perMinute: 10}"),
		embedded("proxies of the operator", "trustedProxies: [10.0.0.1]"),
		embedded("monitoring of the operator", "monitoring: {serviceMonitor: {}}"),

		{"an unknown mode", Dedicated, "mode: Dedicated", "mode: Shared", []string{"spec.endpoint.mode", `"Embedded"`, `"Dedicated"`}},
		{"replicas beside autoscaling", Dedicated, autoscaling, autoscaling + "\n    replicas: 2", []string{endpoint, "replicas and autoscaling exclude each other"}},
		{"fewer replicas than none", Routed, "replicas: 3", "replicas: -1", []string{"spec.endpoint.replicas", "0"}},
		{"too many replicas", Routed, "replicas: 3", "replicas: 101", []string{"spec.endpoint.replicas", "100"}},
		{"fewer at the most than at the least", Dedicated, "minReplicas: 2, maxReplicas: 10", "minReplicas: 5, maxReplicas: 4",
			[]string{"spec.endpoint.autoscaling.maxReplicas", "maxReplicas must be at least minReplicas"}},
		{"fewer at the most than at the least by default", Dedicated, "minReplicas: 2, maxReplicas: 10", "maxReplicas: 1",
			[]string{"spec.endpoint.autoscaling.maxReplicas", "maxReplicas must be at least minReplicas"}},
		{"no most", Dedicated, "minReplicas: 2, maxReplicas: 10, ", "", []string{"spec.endpoint.autoscaling.maxReplicas"}},
		{"a target without a margin", Dedicated, "targetCPUPercent: 60", "targetCPUPercent: 5", []string{"spec.endpoint.autoscaling.targetCPUPercent", "10"}},

		{"two ways in", Routed, gateway, gateway + "\n      ingress: {}", []string{"spec.endpoint.exposure", "exactly one of ingress and gateway must be set"}},
		{"no way in", Routed, "      " + gateway + "\n", "", []string{"spec.endpoint.exposure", "exactly one of ingress and gateway must be set"}},
		{"no hostname", Routed, "      hostname: survey.example.org\n", "", []string{"spec.endpoint.exposure.hostname"}},
		{"an address as hostname", Routed, "hostname: survey.example.org", `hostname: "https://survey.example.org"`, []string{"spec.endpoint.exposure.hostname"}},
		{"a hostname with a port", Routed, "hostname: survey.example.org", `hostname: "survey.example.org:8080"`, []string{"spec.endpoint.exposure.hostname"}},
		{"another scheme", Dedicated, "scheme: https", "scheme: ftp", []string{"spec.endpoint.exposure.scheme", `"https"`, `"http"`}},
		{"no gateway", Routed, gateway, "gateway: {parentRefs: []}", []string{"spec.endpoint.exposure.gateway.parentRefs", "1"}},
		{"an issuer of another kind", Dedicated, "issuer: {kind: Issuer,", "issuer: {kind: Authority,", []string{"spec.endpoint.exposure.ingress.issuer.kind", `"ClusterIssuer"`}},
		{"an issuer without a name", Dedicated, "issuer: {kind: Issuer, name: letters}", "issuer: {kind: Issuer}", []string{"spec.endpoint.exposure.ingress.issuer.name"}},

		{"security of the pod", Dedicated, "      priorityClassName: customers", "      securityContext: {runAsUser: 0}\n      priorityClassName: customers",
			[]string{"spec.endpoint.pod.securityContext"}},
		{"a secret that is named twice", Dedicated, "imagePullSecrets: [{name: registry}]", "imagePullSecrets: [{name: registry}, {name: registry}]",
			[]string{"spec.endpoint.pod.imagePullSecrets[1]"}},
		{"memory in words", Dedicated, "memory: 512Mi", "memory: much", []string{"spec.endpoint.pod.resources.limits.memory"}},
		{"no submissions", Dedicated, "perMinute: 1200", "perMinute: 0", []string{"spec.endpoint.rateLimit.perMinute", "1"}},
		{"a proxy by name", Dedicated, "trustedProxies: [10.0.0.0/8,", "trustedProxies: [proxy,", []string{"spec.endpoint.trustedProxies[0]", "must be an IP address or a CIDR"}},
		{"a proxy twice", Dedicated, "trustedProxies: [10.0.0.0/8,", "trustedProxies: [10.0.0.0/8, 10.0.0.0/8,", []string{"spec.endpoint.trustedProxies[1]"}},
	}
}
