//go:build !linux

package pgtest

import "syscall"

// endWithParent does nothing: only Linux tells a process that its parent ended.
func endWithParent(*syscall.SysProcAttr) {}
