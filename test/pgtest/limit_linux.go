package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// LimitFiles lets no file of the server grow beyond a number of bytes, as a quota does, or lifts the limit with 0. It is that
// of the processes that run now, and of those that they start.
func (s *Server) LimitFiles(bytes uint64) error {
	limit := "--fsize=unlimited"
	if bytes > 0 {
		limit = fmt.Sprintf("--fsize=%d:unlimited", bytes)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	if err != nil {
		return err
	}
	for _, pid := range append(strings.Fields(string(children)), strconv.Itoa(s.pid)) {
		cmd := exec.Command("prlimit", "--pid", pid, limit)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner} // whose processes they are may limit them
		out, err := cmd.CombinedOutput()
		if _, gone := os.Stat("/proc/" + pid); err != nil && gone == nil {
			return fmt.Errorf("limit of process %s: %w\n%s", pid, err, out)
		}
	}
	return nil
}
