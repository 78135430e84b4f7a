// Command build makes pinned programs ready and prints their folder as the last line of its
// standard output; progress goes to standard error.
//
//	go run ./hack/build kube              etcd, kube-apiserver, kube-controller-manager, kubectl
//	go run ./hack/build node              the same and kube-scheduler, kubelet, kube-proxy
//	go run ./hack/build helm              helm and kubeconform
//	go run ./hack/build tools [NAME...]   the generators and linters, or those named
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

const usage = "usage: build kube | build node | build helm | build tools [NAME...], from the top folder of the repository"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := run(ctx, os.Args[1:], pinned.NewReporter(os.Stderr, time.Now))
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

func run(ctx context.Context, args []string, report *pinned.Reporter) (string, error) {
	if len(args) == 0 {
		return "", errors.New(usage)
	}
	switch args[0] {
	case "kube":
		return kube(ctx, report)
	case "node":
		return node(ctx, report)
	case "helm":
		return helm(ctx, report)
	case "tools":
		return tools(ctx, report, args[1:])
	}
	return "", fmt.Errorf("%q is none of kube, node, helm and tools: %s", args[0], usage)
}

func kube(ctx context.Context, report *pinned.Reporter) (string, error) {
	if given := os.Getenv(pinned.EnvAssets); given != "" {
		return givenAssets(report)
	}
	set, err := pinned.Kube(".")
	if err != nil {
		return "", err
	}
	return set.Dir, set.Build(ctx, report)
}

func givenAssets(report *pinned.Reporter) (string, error) {
	dir, err := pinned.Assets(".")
	if err != nil {
		return "", err
	}
	report.Say("Using the control plane in %s=%s.", pinned.EnvAssets, dir)
	if !pinned.HasControllerManager(dir) {
		report.Say("It has no kube-controller-manager: owned objects are not garbage-collected, " +
			"Deployments make no pods and ServiceAccounts get no tokens.")
	}
	return dir, nil
}

// node ignores EnvAssets: the folders it names hold no kubelet.
func node(ctx context.Context, report *pinned.Reporter) (string, error) {
	set, err := pinned.Node(".")
	if err != nil {
		return "", err
	}
	return set.Dir, set.Build(ctx, report)
}

func helm(ctx context.Context, report *pinned.Reporter) (string, error) {
	set, err := pinned.Helm(".")
	if err != nil {
		return "", err
	}
	return set.Dir, set.Build(ctx, report)
}

func tools(ctx context.Context, report *pinned.Reporter, names []string) (string, error) {
	set, err := pinned.Tools(".")
	if err != nil {
		return "", err
	}
	set, err = set.Only(names...)
	if err != nil {
		return "", err
	}
	return set.Dir, set.Build(ctx, report)
}
