package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// setup is what all rounds have in common.
type setup struct {
	root, dir, binary string
	flags             []string // more of the manager
	workers           int      // that create
	patience          time.Duration
	quiet             time.Duration
	steady            time.Duration
	edits             int
	shuffled          bool
	number            int // of the next cluster
}

func (s *setup) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// site is one cluster with the objects that are to be created in it, and who watches them.
type site struct {
	*setup
	size    size
	inputs  []input
	cluster *cluster
	people  bare
	watcher *watcher
	manager *manager // nil where there is none
	// addresses are the manager's.
	addresses []string
	stop      context.CancelFunc
}

// open starts a cluster of its own.
func (s *setup) open(ctx context.Context, of size) (*site, error) {
	inputs, err := of.inputs()
	if err != nil {
		return nil, err
	}
	if s.shuffled {
		shuffle(inputs)
	}
	s.number++
	c, err := startCluster(ctx, s.root, filepath.Join(s.dir, fmt.Sprintf("cluster-%d", s.number)))
	if err != nil {
		return nil, err
	}
	at := &site{setup: s, size: of, inputs: inputs, cluster: c, stop: func() {}}
	if err := at.equip(ctx); err != nil {
		return nil, errors.Join(err, at.close())
	}
	return at, nil
}

func (s *site) equip(ctx context.Context) error {
	if err := createNamespaces(ctx, s.cluster.admin, s.size); err != nil {
		return err
	}
	var err error
	if s.people, err = newBare(s.cluster.people); err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(ctx)
	paths := map[string]string{}
	for _, resource := range []string{teams, stores, programs, touchpoints} {
		paths[resource] = group + "/" + resource
	}
	if s.size.dedicated {
		paths[configMaps] = "/api/v1/configmaps?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dcx-operator"
	}
	for resource := range paths {
		if err := s.served(ctx, resource); err != nil {
			return err
		}
	}
	s.watcher, err = watch(ctx, s.cluster.people, paths, s.done)
	return err
}

// served waits until the API server serves a kind: it says so a little before.
func (s *site) served(ctx context.Context, resource string) error {
	if resource == configMaps {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		_, err := s.people.client.Get().AbsPath(group+"/"+resource).Param("limit", "1").DoRaw(ctx)
		if !apierrors.IsNotFound(err) {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// done says whether an object is as the operator leaves it. The endpoint of a Dedicated program never starts here, since there
// is no node: its objects are there, and the program and its store wait for it.
func (s *site) done(_ string, o *object) bool {
	if !o.observed() {
		return false
	}
	if !s.size.dedicated {
		return o.is("Ready") == "True/Reconciled"
	}
	return o.is("Ready") != ""
}

func (s *site) close() error {
	var err error
	if s.manager != nil {
		err = s.manager.stop()
	}
	s.stop()
	return errors.Join(err, s.cluster.stop())
}

// start starts the operator and waits until it has nothing to do.
func (s *site) start(ctx context.Context) error {
	var err error
	if s.addresses, err = freeAddresses(ctx, 3); err != nil {
		return err
	}
	if s.manager, err = startManager(ctx, s.cluster, s.binary, s.addresses, s.flags); err != nil {
		return err
	}
	_, err = s.settle(ctx, nil)
	return err
}

// settle waits until the operator is idle, every queue is empty and every object, of so many for each controller, was looked
// at. It returns when the operator last did something.
func (s *site) settle(ctx context.Context, looked map[string]int) (time.Time, error) {
	deadline := time.Now().Add(s.patience)
	for {
		last, err := idle(ctx, s.manager.pid(), s.quiet)
		if err != nil {
			return last, err
		}
		w, err := s.manager.work(ctx)
		if err != nil {
			return last, err
		}
		behind := ""
		for controller, n := range looked {
			if w.reconciles[controller] < n {
				behind = fmt.Sprintf("%s has looked at %d of %d", controller, w.reconciles[controller], n)
			}
		}
		if w.depth == 0 && w.active == 0 && behind == "" {
			return last, nil
		}
		if time.Now().After(deadline) {
			return last, fmt.Errorf("the operator does not settle: %d in the queues, %d at work; %s", w.depth, w.active, behind)
		}
	}
}

// looked is how many objects each controller has at least to look at.
func (s size) looked() map[string]int {
	return map[string]int{"team": s.teams, "responsestore": s.stores(), "surveyprogram": s.programs, "touchpoint": s.touchpoints}
}

// costs is the CPU time that the processes used, by their names.
type costs map[string]time.Duration

const operatorProcess = "cx-operator"

// seconds is what all processes used since then.
func (c costs) seconds(before costs) float64 {
	sum := time.Duration(0)
	for name, used := range c {
		sum += used - before[name]
	}
	return sum.Seconds()
}

func (s *site) cpu() (costs, error) {
	pids, err := servers()
	if err != nil {
		return nil, err
	}
	if s.manager != nil {
		pids[operatorProcess] = s.manager.pid() // whatever its file is called
	}
	used := costs{}
	for _, name := range []string{"kube-apiserver", "etcd", operatorProcess} {
		if pid, runs := pids[name]; runs {
			if used[name], err = cpu(pid); err != nil {
				return nil, err
			}
		}
	}
	if used["bench"], err = cpu(os.Getpid()); err != nil {
		return nil, err
	}
	return used, nil
}

func (c costs) since(before costs) string {
	text := ""
	for _, name := range []string{"kube-apiserver", "etcd", operatorProcess, "bench"} {
		if used := c[name] - before[name]; used > 0 {
			text += fmt.Sprintf(" %s %.1f s", name, used.Seconds())
		}
	}
	return text
}

// spent is how long something took and what CPU time all processes used, each in seconds.
type spent struct{ time, cpu float64 }

// create has people create everything while the operator works, and returns what it took until all was done.
func (s *site) create(ctx context.Context, each func(context.Context, input) error) (spent, error) {
	keys := make([]key, 0, len(s.inputs))
	for _, i := range s.inputs {
		keys = append(keys, i.key())
	}
	s.watcher.await(keys)
	before, err := s.cpu()
	if err != nil {
		return spent{}, err
	}
	begun := time.Now()
	if err := parallel(ctx, s.workers, s.inputs, each); err != nil {
		return spent{}, err
	}
	created := time.Since(begun)
	shown := time.Now()
	done, err := s.watcher.converged(ctx, s.patience, func(missing int) {
		if time.Since(shown) > 10*time.Second {
			shown = time.Now()
			s.say("  %d of %d are not done", missing, len(keys))
		}
	})
	if err != nil {
		return spent{}, err
	}
	took := done.Sub(begun)
	after, err := s.cpu()
	if err != nil {
		return spent{}, err
	}
	s.say("  %d objects created in %.1f s, done after %.1f s; CPU:%s", len(keys), created.Seconds(), took.Seconds(), after.since(before))
	return spent{took.Seconds(), after.seconds(before)}, nil
}

// createPlainly has people create everything.
func (s *site) createPlainly(ctx context.Context, i input) error {
	_, err := s.people.createInput(ctx, i)
	return err
}
