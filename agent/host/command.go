package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"time"
)

// Command names a command that the agent may start.
type Command string

// The commands of macOS, for what the system offers no other interface that is not written in
// Objective-C.
const (
	HardwareProfile Command = "hardware profile"
	DisksProfile    Command = "disks profile"
	DisplaysProfile Command = "displays profile"
	PlatformExpert  Command = "platform expert"
	FileVaultStatus Command = "FileVault status"
	VolumeGroups    Command = "APFS volumes"
)

// invocation is how a command is started. All arguments are constants.
type invocation struct {
	path     string
	args     []string
	deadline time.Duration
}

const profilerPath = "/usr/sbin/system_profiler"

var invocations = map[Command]invocation{
	HardwareProfile: {profilerPath, []string{"-xml", "SPHardwareDataType", "SPMemoryDataType"}, 20 * time.Second},
	DisksProfile:    {profilerPath, []string{"-xml", "SPNVMeDataType", "SPSerialATADataType"}, 30 * time.Second},
	DisplaysProfile: {profilerPath, []string{"-xml", "SPDisplaysDataType"}, 20 * time.Second},
	PlatformExpert: {"/usr/sbin/ioreg", []string{"-a", "-r", "-d", "1", "-c", "IOPlatformExpertDevice"},
		10 * time.Second},
	FileVaultStatus: {"/usr/bin/fdesetup", []string{"status"}, 10 * time.Second},
	VolumeGroups:    {"/usr/sbin/diskutil", []string{"apfs", "list", "-plist"}, 20 * time.Second},
}

// maxOutput bounds the output of a command, in bytes.
const maxOutput = 16 << 20

// Output starts the command and returns its standard output.
func (h *Host) Output(ctx context.Context, name Command) ([]byte, error) {
	text, err := ask(h, string(name), "", func() (string, error) { return run(ctx, name) })
	return []byte(text), err
}

func run(ctx context.Context, name Command) (string, error) {
	if runtime.GOOS != "darwin" {
		return "", fmt.Errorf("%s on %s: %w", name, runtime.GOOS, ErrUnsupported)
	}
	i := invocations[name]
	ctx, cancel := context.WithTimeout(ctx, i.deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.path, i.args...) //nolint:gosec // constants of this file
	cmd.Env = []string{"LC_ALL=en_US.UTF-8", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var out limitedBuffer
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s: %w", name, i.path, err)
	}
	return out.text.String(), nil
}

// limitedBuffer fails the write that exceeds maxOutput, which ends the command.
type limitedBuffer struct{ text bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxOutput {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}
