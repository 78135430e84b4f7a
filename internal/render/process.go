package render

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Folders of the container.
//
//nolint:gosec // G101: where secrets are, and no secrets
const (
	surveyDir = "/etc/cx-operator/survey"
	tokensDir = "/etc/cx-operator/tokens"
	keysDir   = "/etc/cx-operator/keys"
	tlsDir    = "/etc/cx-operator/tls"
	storeDir  = "/etc/cx-operator/store"
	sqliteDir = "/var/lib/cx-operator"
	tempDir   = "/tmp"
)

const (
	// uriFile is the file of the connection URI in storeDir.
	uriFile = "uri"
	// connections of one pod to PostgreSQL at the most.
	connections = 4
	// drain is how long a pod that is to end goes on serving, so that nobody is sent to it any more when it stops.
	drain = "5s"
	// secretMode lets the user of the container, by its group, read the files of Secrets, and nobody write them.
	secretMode = 0o440
	// defaultPerMinute and defaultBurst of the rate limit.
	defaultPerMinute = 600
	defaultBurst     = 100
)

// arguments of the process. They hold no secret: those are files.
func (d Dedicated) arguments() []string {
	program := store.Key{Namespace: d.Program.Namespace, Name: d.Program.Name}
	responseStore := store.Key{Namespace: d.Store.Namespace, Name: d.Store.Name}
	rate := ptr.Deref(d.Program.Spec.Endpoint.RateLimit, v1alpha1.RateLimit{})
	arguments := []string{
		"endpoint",
		"--program=" + program.String(),
		"--survey=" + surveyDir + "/" + surveyKey,
		"--tokens-dir=" + tokensDir,
		"--keys-dir=" + keysDir,
		"--tls-dir=" + tlsDir,
		"--store=" + responseStore.String(),
	}
	if d.sqlite() {
		arguments = append(arguments, "--sqlite-dir="+sqliteDir)
	} else {
		arguments = append(arguments,
			"--postgres-uri-file="+storeDir+"/"+uriFile,
			"--postgres-schema="+Schema(responseStore),
			fmt.Sprintf("--postgres-connections=%d", connections))
	}
	arguments = append(arguments,
		"--public-url="+PublicURL(d.Program),
		fmt.Sprintf("--intake-bind-address=:%d", SurveyPort),
		fmt.Sprintf("--operations-bind-address=:%d", OperationsPort),
		fmt.Sprintf("--rate-per-minute=%d", or(rate.PerMinute, defaultPerMinute)),
		fmt.Sprintf("--rate-burst=%d", or(rate.Burst, defaultBurst)),
		"--drain="+drain)
	if proxies := d.Program.Spec.Endpoint.TrustedProxies; len(proxies) > 0 {
		arguments = append(arguments, "--trusted-proxies="+strings.Join(proxies, ","))
	}
	if hash := d.Options.ScrapeTokenHash; hash != "" {
		arguments = append(arguments, "--scrape-token-hash="+hash)
	}
	return arguments
}

func (d Dedicated) volumes() []corev1.Volume {
	name := EndpointName(d.Program.Name)
	volumes := []corev1.Volume{
		{Name: "survey", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: name},
		}}},
		secretVolume("tokens", corev1.SecretVolumeSource{SecretName: TokensName(d.Program.Name)}),
		secretVolume("tls", corev1.SecretVolumeSource{SecretName: CertificateName(d.Program.Name)}),
		secretVolume("keys", corev1.SecretVolumeSource{
			SecretName: KeysName(d.Store.Name), Optional: ptr.To(true),
			Items: []corev1.KeyToPath{{Key: KeyContacts, Path: KeyContacts}, {Key: KeyCases, Path: KeyCases}},
		}),
		{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse("1Gi"))}}},
	}
	if d.sqlite() {
		return append(volumes, corev1.Volume{Name: "answers", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: ClaimName(d.Store.Name)},
		}})
	}
	ref := d.Store.Spec.Postgres.ConnectionSecretRef
	return append(volumes, secretVolume("store", corev1.SecretVolumeSource{
		SecretName: ref.Name, Items: []corev1.KeyToPath{{Key: ref.Key, Path: uriFile}},
	}))
}

func secretVolume(name string, source corev1.SecretVolumeSource) corev1.Volume {
	source.DefaultMode = ptr.To[int32](secretMode)
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &source}}
}

func (d Dedicated) mounts() []corev1.VolumeMount {
	mounts := []corev1.VolumeMount{
		{Name: "survey", MountPath: surveyDir, ReadOnly: true},
		{Name: "tokens", MountPath: tokensDir, ReadOnly: true},
		{Name: "tls", MountPath: tlsDir, ReadOnly: true},
		{Name: "keys", MountPath: keysDir, ReadOnly: true},
		{Name: "tmp", MountPath: tempDir},
	}
	if d.sqlite() {
		return append(mounts, corev1.VolumeMount{Name: "answers", MountPath: sqliteDir})
	}
	return append(mounts, corev1.VolumeMount{Name: "store", MountPath: storeDir, ReadOnly: true})
}
