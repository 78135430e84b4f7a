package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// LabelServes marks the pod that serves the API, the leader's. The Service selects it.
const LabelServes = "cx-operator.io/serves-feedback"

const (
	// markAgain is after how long a label that could not be written is tried again.
	markAgain = 5 * time.Second
	// unmarkTakes is how long taking the label away may hold the end of the process up.
	unmarkTakes = 3 * time.Second
)

// Mark puts the label on the pod of this process, and takes it away. Of several replicas only the leader's has it, so that the
// Service reaches no one who cannot answer.
type Mark struct {
	// Client writes pods.
	Client kubernetes.Interface
	// Namespace and Pod of this process.
	Namespace, Pod string
	// Log takes what goes wrong.
	Log logr.Logger
}

// Clear takes the label away, which a former process of the same pod may have left.
func (m *Mark) Clear(ctx context.Context) error { return m.set(ctx, nil) }

// Keep puts the label on until the context ends, then takes it away.
func (m *Mark) Keep(ctx context.Context) {
	value := "true"
	for err := m.set(ctx, &value); err != nil && ctx.Err() == nil; err = m.set(ctx, &value) {
		m.Log.Error(err, "Cannot tell the Service of the feedback API which pod serves")
		select {
		case <-ctx.Done():
		case <-time.After(markAgain):
		}
	}
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), unmarkTakes)
	defer cancel()
	if err := m.Clear(last); err != nil {
		m.Log.Error(err, "Cannot tell the Service of the feedback API that this pod serves no more")
	}
}

func (m *Mark) set(ctx context.Context, value *string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]*string{LabelServes: value}}})
	if err != nil {
		return fmt.Errorf("write a patch: %w", err)
	}
	if _, err := m.Client.CoreV1().Pods(m.Namespace).Patch(ctx, m.Pod, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "cx-operator"}); err != nil {
		return fmt.Errorf("label pod %s/%s: %w", m.Namespace, m.Pod, err)
	}
	return nil
}
