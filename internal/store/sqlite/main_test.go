package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// The test binary is also the other process of some tests: what it is to do then, and on which file.
const (
	childTask = "SQLITE_TEST_CHILD_TASK"
	childPath = "SQLITE_TEST_CHILD_PATH"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(task, os.Getenv(childPath)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func child(task, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// runChild opens the store, and submits the series that task names; with "hold", it says so and waits until it is killed;
// with "try", it only says whether the store is locked.
func runChild(task, path string) error {
	s, err := Open(context.Background(), path, Options{})
	if task == "try" && errors.Is(err, store.ErrLocked) {
		fmt.Println("locked")
		return nil
	}
	if err != nil {
		return err
	}
	switch task {
	case "try":
		fmt.Println("open")
	case "hold":
		fmt.Println("open")
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
	default:
		if err := storetest.Submit(s, task, os.Stdout); err != nil {
			return err
		}
	}
	return s.Close()
}
