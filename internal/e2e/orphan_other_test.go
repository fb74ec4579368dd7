//go:build !linux

package e2e

import "os/exec"

// dieWithUs does nothing: only Linux can tie a child's life to ours.
func dieWithUs(*exec.Cmd) {}
