package e2e

import (
	"os/exec"
	"syscall"
)

// killWithParent makes the kernel kill a child whose test binary was killed.
func killWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
