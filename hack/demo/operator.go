package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// buildOperator builds the operator from this checkout, if it is not built already.
func (d *demo) buildOperator(ctx context.Context) (string, error) {
	d.say.step("Building cx-operator")
	binary := d.dir.file("bin/cx-operator")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	build.SysProcAttr = childAttributes()
	if err := build.Run(); err != nil {
		return "", errors.Join(context.Cause(ctx), fmt.Errorf("building cx-operator: %w", err))
	}
	return binary, nil
}

// addresses are where the operator answers.
type addresses struct {
	survey  string // scheme, host and port of the pages and the API
	metrics string // complete address of the metrics
}

// startOperator starts the operator on this machine, with the endpoint in the same process, and waits until it is ready.
func (d *demo) startOperator(ctx context.Context, binary string) (addresses, error) {
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return addresses{}, err
	}
	intake, metrics, health := on(ports[0]), on(ports[1]), on(ports[2])
	d.say.step("Starting the operator")
	d.operator, err = d.children.start(ctx, "manager", binary, "manager",
		"--kubeconfig="+d.dir.file(kubeconfig),
		"--leader-elect=false",
		"--embedded-endpoint",
		"--data-dir="+d.dir.file("data"),
		"--intake-bind-address="+intake,
		"--public-url=http://"+intake,
		"--metrics-bind-address="+metrics,
		"--metrics-secure=false",
		"--health-probe-bind-address="+health,
	)
	if err != nil {
		return addresses{}, err
	}
	at := addresses{survey: "http://" + intake, metrics: "http://" + metrics + "/metrics"}
	plain := func() (*http.Client, error) { return http.DefaultClient, nil }
	return at, d.awaitOK(ctx, "the operator", "http://"+health+"/readyz", plain)
}

func on(port int) string { return fmt.Sprintf("%s:%d", loopback, port) }

// mostFalls is how often the operator may end by itself within fallsWithin before the demo gives up.
const (
	mostFalls   = 5
	fallsWithin = time.Minute
)

// keepUp waits for the end of the context, and meanwhile starts the operator again if it ends, as a kubelet would: end it
// in the middle of anything, and see that nothing is lost.
func (d *demo) keepUp(ctx context.Context) error {
	d.children.keep(d.operator)
	var falls []time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case fallen := <-d.children.fallen:
			falls = append(falls, time.Now())
			if n := len(falls); n > mostFalls && falls[n-1].Sub(falls[n-1-mostFalls]) < fallsWithin {
				return fallen.failure()
			}
			d.say.step("The operator ended (%s); starting it again", fallen.how())
			again, err := d.children.again(ctx, fallen)
			if err != nil {
				return err
			}
			d.operator = again
			d.children.keep(again)
		}
	}
}
