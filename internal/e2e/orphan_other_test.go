//go:build !linux

package e2e

import "os/exec"

// killWithParent does nothing: only Linux can end a child with its parent.
func killWithParent(*exec.Cmd) {}
