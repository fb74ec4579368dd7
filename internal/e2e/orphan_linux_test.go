package e2e

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel kill a child whose test binary was killed.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
