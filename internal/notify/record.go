package notify

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// record is what is noted of a case's notice in the store.
type record struct {
	Addressed  bool                `json:"addressed,omitempty"`
	Deliveries []v1alpha1.Delivery `json:"deliveries,omitempty"`
}

// FromCase returns the notice of a case of a program, with what was noted of it.
func FromCase(program types.UID, c store.CaseNotice) (v1alpha1.Notice, error) {
	n := v1alpha1.Notice{
		ID:    digest("case", string(program), c.CaseID, c.Transition),
		Class: v1alpha1.NoticeCase, Transition: v1alpha1.NoticeTransition(c.Transition), Time: metav1.NewTime(c.At.UTC()),
	}
	if len(c.Record) == 0 {
		return n, nil
	}
	var r record
	if err := json.Unmarshal(c.Record, &r); err != nil {
		return n, fmt.Errorf("read what was noted of notice %d: %w", c.Seq, err)
	}
	n.Addressed, n.Deliveries = r.Addressed, r.Deliveries
	return n, nil
}

// Record returns what the store is to note of a case's notice.
func Record(n *v1alpha1.Notice) ([]byte, error) {
	b, err := json.Marshal(record{Addressed: n.Addressed, Deliveries: n.Deliveries})
	if err != nil {
		return nil, fmt.Errorf("note a notice: %w", err)
	}
	return b, nil
}
