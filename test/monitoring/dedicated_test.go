package monitoring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/test/monitoring/harness"
)

// dedicated is the endpoint of a program of the shop, run as a kubelet would: with the arguments and volumes of the
// StatefulSet that the operator made, only at ports and in folders of this test.
type dedicated struct {
	k       *cluster
	set     appsv1.StatefulSet
	process *harness.Process
}

const dedicatedProgram = "returns"

// dedicate waits for the StatefulSet of the program.
func (k *cluster) dedicate() *dedicated {
	k.Helper()
	d := &dedicated{k: k}
	harness.Eventually(k.T, patience, "the endpoint's StatefulSet", func() error {
		var all appsv1.StatefulSetList
		err := k.c.List(k.Context(), &all, client.InNamespace(shopNamespace), client.MatchingLabels{"cx-operator.io/program": dedicatedProgram})
		if err != nil {
			return err
		}
		if len(all.Items) != 1 {
			return fmt.Errorf("%d of them", len(all.Items))
		}
		d.set = all.Items[0]
		return nil
	})
	return d
}

// start runs the container and says that its pod is ready.
func (d *dedicated) start() {
	d.k.Helper()
	container := d.set.Spec.Template.Spec.Containers[0]
	survey, operations := harness.Port(d.k.T), harness.Port(d.k.T)
	var places []string
	for _, mount := range container.VolumeMounts {
		dir := filepath.Join(d.k.dir, "endpoint", mount.Name)
		d.fill(dir, mount.Name)
		places = append(places, mount.MountPath, dir)
	}
	var args []string
	for _, arg := range container.Args {
		args = append(args, strings.NewReplacer(places...).Replace(arg))
	}
	args = append(args, fmt.Sprintf("--intake-bind-address=127.0.0.1:%d", survey), fmt.Sprintf("--operations-bind-address=%s:%d", d.k.address, operations))
	d.process = harness.Start(d.k.T, d.k.dir, "endpoint", os.Args[0], []string{asCommand + "=1"}, args...)
	d.k.backend(shopNamespace, d.set.Spec.ServiceName, "operations", operations)
	d.ready(1)
}

// stop ends the pod: nothing is left that could be scraped.
func (d *dedicated) stop() {
	d.k.Helper()
	if err := d.process.Stop(); err != nil {
		d.k.Fatal(err)
	}
	gone := &corev1.Endpoints{} //nolint:staticcheck // what service discovery of role endpoints reads
	gone.Namespace, gone.Name = shopNamespace, d.set.Spec.ServiceName
	if err := d.k.c.Delete(d.k.Context(), gone); err != nil {
		d.k.Fatal(err)
	}
	d.ready(0)
}

// ready says how many pods are, as the StatefulSet's controller would.
func (d *dedicated) ready(n int) {
	d.k.Helper()
	status := fmt.Sprintf(`{"status":{"observedGeneration":%d,"replicas":%d,"readyReplicas":%d,"updatedReplicas":%d,"availableReplicas":%d}}`, d.set.Generation, n, n, n, n)
	if err := d.k.c.Status().Patch(d.k.Context(), &d.set, client.RawPatch("application/merge-patch+json", []byte(status))); err != nil {
		d.k.Fatal(err)
	}
}

// fill writes the files of a volume.
func (d *dedicated) fill(dir, name string) {
	d.k.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.k.Fatal(err)
	}
	for _, v := range d.set.Spec.Template.Spec.Volumes {
		if v.Name != name {
			continue
		}
		for file, content := range d.content(v) {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				d.k.Fatal(err)
			}
		}
	}
}

func (d *dedicated) content(v corev1.Volume) map[string][]byte {
	d.k.Helper()
	files := map[string][]byte{}
	key := client.ObjectKey{Namespace: shopNamespace}
	var err error
	switch {
	case v.ConfigMap != nil:
		var made corev1.ConfigMap
		key.Name = v.ConfigMap.Name
		err = d.k.c.Get(d.k.Context(), key, &made)
		for name, text := range made.Data {
			files[name] = []byte(text)
		}
	case v.Secret != nil:
		var made corev1.Secret
		key.Name = v.Secret.SecretName
		err = d.k.c.Get(d.k.Context(), key, &made)
		if v.Secret.Optional != nil && *v.Secret.Optional {
			err = client.IgnoreNotFound(err)
		}
		files = made.Data
		for _, item := range v.Secret.Items {
			files[item.Path] = made.Data[item.Key]
		}
	case v.EmptyDir == nil && v.PersistentVolumeClaim == nil:
		err = errors.New("a volume that this test does not know")
	}
	if err != nil {
		d.k.Fatalf("volume %s: %v", v.Name, err)
	}
	return files
}
