package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SQLiteStore keeps answers in one file that one process may open at a time: on the operator's volume for Embedded programs,
// on a volume of its own for a Dedicated one.
type SQLiteStore struct {
	// size of the volume for a Dedicated program. It may grow where the storage class allows it.
	// +optional
	// +default="5Gi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="size must be more than 0"
	Size *resource.Quantity `json:"size,omitempty"`
	// storageClassName of the volume for a Dedicated program; the cluster's default class without it. It is fixed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storageClassName cannot be changed: the answers would stay on the old volume"
	StorageClassName string `json:"storageClassName,omitempty"`
}

// DeletionPolicy says what becomes of the answers when their ResponseStore is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionRetain keeps the file, volume or schema. An event says what is kept.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDelete deletes the file or volume.
	DeletionDelete DeletionPolicy = "Delete"
)

// PostgresStore keeps answers in PostgreSQL or what speaks its protocol.
type PostgresStore struct {
	// connectionSecretRef names the Secret and key with the connection URI, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Only
	// what serves answers reads it: the endpoints, and the operator where it is the endpoint itself.
	// +required
	ConnectionSecretRef SecretKeyRef `json:"connectionSecretRef"`
}

// SecretKeyRef names one key of a Secret in the same namespace.
type SecretKeyRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key within the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// ResponseStoreSpec says where answers live: exactly one of sqlite and postgres.
// +kubebuilder:validation:XValidation:rule="has(self.sqlite) != has(self.postgres)",message="exactly one of sqlite and postgres must be set"
// +kubebuilder:validation:XValidation:rule="self.deletionPolicy != 'Delete' || has(self.sqlite)",message="deletionPolicy Delete is for sqlite only: what is in PostgreSQL is deleted there, by DROP SCHEMA",fieldPath=".deletionPolicy"
// +kubebuilder:validation:XValidation:rule="has(self.sqlite) == has(oldSelf.sqlite)",message="a store's engine cannot be changed, its answers would be left behind: create another ResponseStore"
type ResponseStoreSpec struct {
	// sqlite keeps answers in a file on one machine: `sqlite: {}`.
	// +optional
	SQLite *SQLiteStore `json:"sqlite,omitempty"`
	// postgres keeps answers in PostgreSQL.
	// +optional
	Postgres *PostgresStore `json:"postgres,omitempty"`
	// deletionPolicy: Retain keeps the answers when this resource is deleted, Delete deletes those in SQLite. Deleting a program
	// never deletes answers.
	// +optional
	// +default="Retain"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// ResponseStoreStatus is what the endpoints say of the store.
type ResponseStoreStatus struct {
	// conditions: Ready, Stalled, Reconciling.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// engine of the store: SQLite or PostgreSQL; empty before it was opened.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Engine string `json:"engine,omitempty"`
	// schemaVersion is the number of the last migration that was applied.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SchemaVersion int64 `json:"schemaVersion,omitempty"`
}

// ResponseStore is where answers live.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Engine",type=string,JSONPath=`.status.engine`
// +kubebuilder:printcolumn:name="Schema",type=integer,JSONPath=`.status.schemaVersion`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 52",message="metadata.name must be at most 52 lower-case letters, digits and '-' (children are named after it)"
type ResponseStore struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the store.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec ResponseStoreSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status ResponseStoreStatus `json:"status,omitempty"`
}

// ResponseStoreList is a list of stores.
// +kubebuilder:object:root=true
type ResponseStoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the stores.
	Items []ResponseStore `json:"items"`
}
