// Package resident keeps down how much of the program's file stays in memory.
package resident

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Release unmaps the pages of the program's file that were read so far: the initialisation of all packages touches most of a
// large binary, once. What is needed again comes back from the page cache, in small pieces: a kernel that keeps files in huge
// pages would map two megabytes for each byte that is read. Nothing that was written is touched: these are the code and, in a
// program that is not relocated when it is loaded, the constants. It does nothing on other systems than Linux.
func Release() error {
	self, err := procfs.Self()
	if err != nil {
		return fmt.Errorf("resident: %w", err)
	}
	maps, err := self.ProcMaps()
	if err != nil {
		return fmt.Errorf("resident: reading the mappings: %w", err)
	}
	file, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("resident: %w", err)
	}
	constants := !relocated()
	for _, m := range maps {
		readOnly := m.Perms.Read && !m.Perms.Write && m.Perms.Private
		if m.Pathname == file && readOnly && (m.Perms.Execute || constants) {
			err = errors.Join(err, release(m))
		}
	}
	if err != nil {
		return fmt.Errorf("resident: releasing pages: %w", err)
	}
	return nil
}

func release(m *procfs.ProcMap) error {
	// A kernel without huge pages does not know the advice.
	if err := advise(m, unix.MADV_NOHUGEPAGE); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return advise(m, unix.MADV_DONTNEED)
}

func advise(m *procfs.ProcMap, advice uintptr) error {
	if _, _, code := unix.Syscall(unix.SYS_MADVISE, m.StartAddr, m.EndAddr-m.StartAddr, advice); code != 0 {
		return code
	}
	return nil
}

// relocated tells whether the program's constants may have been changed when it was loaded; it may, where that is not known.
func relocated() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return true
	}
	for _, s := range info.Settings {
		if s.Key == "-buildmode" {
			return s.Value != "exe"
		}
	}
	return true
}

// cpu is what the process has used so far.
func cpu() (time.Duration, error) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("resident: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}
