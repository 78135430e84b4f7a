// Command demo shows cx-operator at work on one machine: a real Kubernetes API server, the operator, an airport's
// program of customer experience, and 40,683 answers that passengers really gave.
//
//	go run ./hack/demo            stays up until Ctrl-C
//	go run ./hack/demo --once     ends after the table, with status 1 if anything expected is missing
//	go run ./hack/demo --cluster  uses the cluster of the current kubeconfig context instead of its own
//
// "make demo" does the same and builds Kubernetes first; it passes ONCE=1 and CLUSTER=1 on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // the airport's time zone, also where the machine has no zone database

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// What the sample in config/samples/airport calls itself.
const (
	namespace  = "sfo"
	program    = "passenger-experience"
	importPath = "/api/v1/namespaces/" + namespace + "/programs/" + program + "/responses:import"
)

func init() {
	// The kernel ends a child when the thread that started it ends, so children are started from the one thread that
	// lives as long as the program.
	runtime.LockOSThread()
	ctrl.SetLogger(logr.Discard()) // the clients' own chatter
}

func main() {
	once := flag.Bool("once", isSet(os.Getenv("ONCE")), "end after the table, with status 1 if anything expected is missing (ONCE=1)")
	cluster := flag.Bool("cluster", isSet(os.Getenv("CLUSTER")), "use the cluster of the current kubeconfig context (CLUSTER=1)")
	dir := flag.String("dir", ".demo", "folder for everything that the demo writes")
	flag.Parse()

	ctx := untilSignal()
	d := &demo{say: newConsole(os.Stdout, os.Stderr, time.Now), once: *once, foreign: *cluster}
	if err := errors.Join(followGoRun(), d.run(ctx, *dir)); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// untilSignal returns a context that ends with the first signal to end. A broken pipe is among them, so that
// "make demo | head" is cleaned up after as well. A second Ctrl-C ends the demo at once; other signals may come more than
// once, since the kernel tells of each thread of "go run" that ends.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		<-signals
		cancel()
		for again := range signals {
			if again == os.Interrupt {
				os.Exit(1)
			}
		}
	}()
	return ctx
}

// isSet reads a switch of the environment.
func isSet(value string) bool {
	switch strings.ToLower(value) {
	case "", "0", "false", "no":
		return false
	}
	return true
}

// demo is one run.
type demo struct {
	say     *console
	once    bool // end after the table
	foreign bool // use the user's cluster

	dir      workDir
	children *children
	operator *child
	client   client.Client
	kubectl  string // path of kubectl, empty where there is none
	claimed  bool   // the user's cluster has, or may have, something that the demo made
	shown    bool   // the table was printed
}

// run does everything and leaves nothing running, however it ends.
func (d *demo) run(outer context.Context, folder string) (err error) {
	ctx, failed := context.WithCancelCause(outer)
	defer failed(nil)
	dir, release, err := openWorkDir(ctx, folder, d.say.step)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	d.dir, d.children = dir, &children{dir: dir, failed: failed, fallen: make(chan *child, 1)}
	defer func() { err = errors.Join(err, d.end(outer)) }()

	err = d.show(ctx)
	switch {
	case outer.Err() != nil && d.shown:
		return err // nil, or what was missing
	case outer.Err() != nil:
		return errors.New("interrupted")
	case ctx.Err() != nil:
		return context.Cause(ctx) // a child that ended; what failed because of that says less
	}
	return err
}

// end removes what the demo made in a user's cluster, stops what runs, and takes back the addresses, since nobody answers
// there any more.
func (d *demo) end(ctx context.Context) error {
	d.say.step("Ending")
	var err error
	if d.claimed {
		err = d.leave(ctx)
	}
	err = errors.Join(err, d.children.stop())
	for _, name := range []string{urls, kubeconfig, processesName} {
		if gone := os.Remove(d.dir.file(name)); !os.IsNotExist(gone) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// show is the demo from the first process to the table, and then until the context ends.
func (d *demo) show(ctx context.Context) error {
	binary, err := d.buildOperator(ctx)
	if err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	d.say.step("Installing the CRDs")
	if err := d.installCRDs(ctx); err != nil {
		return err
	}
	at, err := d.startOperator(ctx, binary)
	if err != nil {
		return err
	}
	d.say.step("Applying config/samples/airport")
	if err := d.applySample(ctx); err != nil {
		return err
	}
	if err := d.awaitReady(ctx); err != nil {
		return err
	}
	counts, err := d.importAnswers(ctx, at.survey)
	if err != nil {
		return err
	}
	return d.present(ctx, at, counts)
}

// connect starts a cluster, or takes the user's, and makes the client.
func (d *demo) connect(ctx context.Context) error {
	var config *rest.Config
	var err error
	if d.foreign {
		config, err = d.userCluster()
	} else {
		config, err = d.localCluster(ctx)
	}
	if err != nil {
		return err
	}
	scheme := kruntime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), apiextensionsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("naming the types: %w", err)
	}
	d.client, err = client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if d.foreign {
		return d.claim(ctx)
	}
	return nil
}

// present waits for the verdicts, shows them, and stays until the context ends.
func (d *demo) present(ctx context.Context, at addresses, counts []count) error {
	seen, lacking, err := d.awaitVerdicts(ctx, at, answersTo(counts))
	if err != nil {
		return err
	}
	if err := d.dir.write(urls, fmt.Appendf(nil, "survey=%s\nmetrics=%s\n", at.survey, at.metrics)); err != nil {
		return err
	}
	d.say.printf("%s", d.report(seen, at))
	d.shown = true
	if len(lacking) > 0 {
		err = fmt.Errorf("expected, but not so:\n  %s", strings.Join(lacking, "\n  "))
	}
	if d.once {
		return err
	}
	if err != nil {
		d.say.step("%s", err)
	}
	d.say.step("Up. Ctrl-C ends everything.")
	return errors.Join(err, d.keepUp(ctx))
}
