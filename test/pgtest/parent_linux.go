package pgtest

import "syscall"

// endWithParent has the server shut down when the process that started it ends.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
