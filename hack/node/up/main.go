//go:build linux

// Command up starts one real Kubernetes node and keeps it until Ctrl-C.
//
//	go run ./hack/node/up [-dir bin/node] [-load ARCHIVE]     from the top folder of the repository, as root
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/hack/pinned"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	dir := flags.String("dir", "bin/node", "folder for everything that the node writes; what it held is removed")
	image := flags.String("load", "", "image archive to bring onto the node")
	if err := flags.Parse(args); err != nil {
		return err
	}
	assets, err := pinned.NodeAssets(".")
	if err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "[%5.1fs] %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	n, err := node.Start(ctx, node.Options{Dir: *dir, Assets: assets, Pause: "hack/node/pause", Say: say})
	if err != nil {
		return err
	}
	defer func() {
		say("Stopping")
		err = errors.Join(err, n.Stop())
	}()
	if *image != "" {
		say("Loading %s", *image)
		if err := n.LoadImage(ctx, *image); err != nil {
			return err
		}
	}
	helm, err := pinned.HelmDir(".")
	if err != nil {
		return err
	}
	say("Ready. In another shell:\n%s\nCtrl-C ends it.", advice(n, helm, *image != ""))
	<-ctx.Done()
	return nil
}

// advice says what to do with the node. Its image has the name that 'make node' gives it.
func advice(n *node.Node, helm string, loaded bool) string {
	text := fmt.Sprintf("\n  export KUBECONFIG=%s PATH=%s:%s:$PATH\n  kubectl get pods -A\n", n.Kubeconfig(), filepath.Dir(n.Kubectl()), helm)
	if loaded {
		text += `
To install the operator, and to see the airport's program on a pod of its own:

  helm install cx-operator charts/cx-operator --namespace cx-operator-system --create-namespace --wait \
    --set image.registry= --set image.repository=cx-operator --set image.tag=node --set image.pullPolicy=Never
  kubectl apply -k config/samples/dedicated/airport
  kubectl -n sfo get surveyprograms,pods
`
	}
	return text
}
