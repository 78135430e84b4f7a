package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/cx-operator/cx-operator/internal/cli"
)

// asProfiled in the environment has a process be the command, and names the beginning of the files for its CPU profile.
const asProfiled = "CX_OPERATOR_PERF_PROFILE"

// profileMain is the command where a process is to be profiled, and ends the process; in any other it returns.
func profileMain() {
	prefix := os.Getenv(asProfiled)
	if prefix == "" {
		return
	}
	file, err := os.Create(fmt.Sprintf("%s-%d.pprof", prefix, os.Getpid()))
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// filename makes one of a case's name.
func filename(name string) string { return strings.ReplaceAll(name, " ", "-") }
