package exporter

// Endpoint is what is exported of the pods of one Dedicated program.
type Endpoint struct {
	// Namespace and Program are its labels.
	Namespace, Program string
	// Replicas are wanted, Ready of them take answers.
	Replicas, Ready int32
	// Readable says whether the counts can be read now; nil, and without a series, until that is known.
	Readable *bool
}

func (e *Endpoint) equal(f *Endpoint) bool {
	if e == nil || f == nil || e == f {
		return e == f
	}
	a, b := *e, *f
	a.Readable, b.Readable = nil, nil
	same := (e.Readable == nil) == (f.Readable == nil) && (e.Readable == nil || *e.Readable == *f.Readable)
	return same && a == b
}

func (e *Endpoint) clone() *Endpoint {
	if e == nil {
		return nil
	}
	own := *e
	if e.Readable != nil {
		readable := *e.Readable
		own.Readable = &readable
	}
	return &own
}

func (w writer) endpoint(e *Endpoint) {
	labels := pairs(endpointLabels, e.Namespace, e.Program)
	w.gauge(endpointReplicas, labels, float64(e.Replicas))
	w.gauge(endpointReady, labels, float64(e.Ready))
	if e.Readable == nil {
		return
	}
	var value float64
	if *e.Readable {
		value = 1
	}
	w.gauge(endpointReadable, labels, value)
}
