// Package monitoring runs the operator beside a real Prometheus and a real Alertmanager, which are configured as the shipped
// manifests say: what is promised of alerts and dashboards is seen to be so.
package monitoring

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// asCommand lets this test's binary be the cx-operator command, so that it runs as processes that can be ended.
const asCommand = "CX_OPERATOR_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	ctrl.SetLogger(logr.Discard())
	os.Exit(testenv.Start(m))
}

// patience is how long something may take that is under way, on a small machine that does other things.
const patience = time.Minute
