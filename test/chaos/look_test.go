//go:build linux && e2e

package chaos

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
	"github.com/cx-operator/cx-operator/test/ledger"
)

// verdict is what the clinic's reception is told.
type verdict struct {
	state    string
	breaches []string // with the time that each was opened
}

func (s *suite) verdict(ctx context.Context) (verdict, error) {
	var touchpoint v1alpha1.Touchpoint
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.clinic.Key.Namespace, Name: s.clinic.Touchpoint}, &touchpoint); err != nil {
		return verdict{}, err
	}
	var v verdict
	for _, objective := range touchpoint.Status.Objectives {
		v.state = string(objective.State)
	}
	for _, b := range touchpoint.Status.Breaches {
		v.breaches = append(v.breaches, fmt.Sprintf("%s %s %s since %s", b.Type, b.Objective, b.Item, b.Since.UTC().Format(time.RFC3339)))
	}
	return v, nil
}

// awaitVerdict waits until the clinic's objective has a state, and returns how long that took.
func (s *suite) awaitVerdict(t *testing.T, state string) time.Duration {
	t.Helper()
	began := time.Now()
	cluster.Await(t, "the verdict "+state, patience, func(ctx context.Context) error {
		v, err := s.verdict(ctx)
		if err == nil && v.state != state {
			err = fmt.Errorf("it is %s", v.state)
		}
		return err
	})
	return time.Since(began)
}

// leader returns the operator's pod that holds the lease.
func (s *suite) leader(t *testing.T) corev1.Pod {
	t.Helper()
	var leader corev1.Pod
	cluster.Await(t, "a leader", patience, func(ctx context.Context) error {
		var lease coordinationv1.Lease
		if err := s.Client.Get(ctx, client.ObjectKey{Namespace: cluster.System, Name: "cx-operator.cx-operator.io"}, &lease); err != nil {
			return err
		}
		if lease.Spec.HolderIdentity == nil {
			return errors.New("nobody holds the lease")
		}
		name, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
		return s.Client.Get(ctx, client.ObjectKey{Namespace: cluster.System, Name: name}, &leader)
	})
	return leader
}

// kill ends the programs in pods as kill -9 does.
func (s *suite) kill(t *testing.T, pods ...corev1.Pod) {
	t.Helper()
	for _, pod := range pods {
		if err := s.Signal(pod.Status.ContainerStatuses[0].ContainerID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// works waits until the operator does its work: a part of the clinic's endpoint that is deleted comes back. It returns how
// long that took.
func (s *suite) works(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	key := types.NamespacedName{Namespace: s.clinic.Key.Namespace, Name: render.EndpointName(s.clinic.Key.Name)}
	var budget policyv1.PodDisruptionBudget
	if err := s.Client.Get(t.Context(), key, &budget); err != nil {
		t.Fatal(err)
	}
	old := budget.UID
	if err := s.Client.Delete(t.Context(), &budget); err != nil {
		t.Fatal(err)
	}
	cluster.Await(t, "the operator to bring back what was deleted", patience, func(ctx context.Context) error {
		if err := s.Client.Get(ctx, key, &budget); err != nil {
			return err
		}
		if budget.UID == old {
			return errors.New("it is not deleted yet")
		}
		return nil
	})
	return time.Since(began)
}

// untroubled sees that every attempt to answer is acknowledged while something is done.
func untroubled(t *testing.T, do func(), all ...*ledger.Ledger) {
	t.Helper()
	before := make([]ledger.Counts, len(all))
	for i, l := range all {
		before[i] = l.Counts()
	}
	do()
	for i, l := range all {
		after := l.Counts()
		if after.Trouble() > before[i].Trouble() || after.Attempts == before[i].Attempts {
			t.Errorf("attempts before %+v, after %+v: want more, and all acknowledged", before[i], after)
		}
	}
}

// restarts counts how often the programs in pods were started again.
func restarts(pods []corev1.Pod) (n int32) {
	for _, pod := range pods {
		n += pod.Status.ContainerStatuses[0].RestartCount
	}
	return n
}

// mayReadMetrics makes somebody who may, as Prometheus would be, and returns the token.
func (s *suite) mayReadMetrics(t *testing.T) string {
	t.Helper()
	s.Kubectl(t, "-n", "default", "create", "serviceaccount", "prometheus")
	s.Kubectl(t, "create", "clusterrole", "chaos-metrics", "--verb=get", "--non-resource-url=/metrics")
	s.Kubectl(t, "create", "clusterrolebinding", "chaos-metrics", "--clusterrole=chaos-metrics", "--serviceaccount=default:prometheus")
	return strings.TrimSpace(s.Kubectl(t, "-n", "default", "create", "token", "prometheus", "--duration=2h"))
}

// breachSeries are those by which alerts fire, as one pod of the operator's exports them: none by one that stands by.
func (s *suite) breachSeries(ctx context.Context, pod corev1.Pod) ([]string, error) {
	address := "https://" + net.JoinHostPort(pod.Status.PodIP, "8443") + "/metrics"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.metricsToken)
	// Another test looks at the certificate.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var series []string
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "cx_accountability_breach") {
			series = append(series, lines.Text())
		}
	}
	slices.Sort(series)
	return series, lines.Err()
}
