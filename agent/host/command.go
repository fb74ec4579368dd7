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
	MemoryProfile       Command = "memory profile"
	FirmwareProfile     Command = "firmware profile"
	DisksProfile        Command = "disks profile"
	DisplaysProfile     Command = "displays profile"
	PlatformExpert      Command = "platform expert"
	PCIRegistry         Command = "PCI registry"
	USBRegistry         Command = "USB registry"
	BatteryRegistry     Command = "battery registry"
	FileVaultStatus     Command = "FileVault status"
	VolumeGroups        Command = "APFS volumes"
	DirectoryUsers      Command = "directory users"
	DirectoryGroups     Command = "directory groups"
	DomainMembership    Command = "domain membership"
	MDMStatus           Command = "MDM status"
	SystemJobs          Command = "system jobs"
	IntegrityStatus     Command = "integrity status"
	GatekeeperStatus    Command = "Gatekeeper status"
	ApplicationFirewall Command = "application firewall"
)

// invocation is how a command is started. All arguments are constants.
type invocation struct {
	path     string
	args     []string
	deadline time.Duration
}

const (
	profilerPath  = "/usr/sbin/system_profiler"
	registryPath  = "/usr/sbin/ioreg"
	directoryPath = "/usr/bin/dscl"
	firewallPath  = "/usr/libexec/ApplicationFirewall/socketfilterfw"
)

// Each program belongs to the system and is in a directory that only the system can change. The
// registry is asked for the objects of a class without what is below them, but for the interfaces
// of USB devices. The directory is asked for named attributes, none of which is a secret.
var invocations = map[Command]invocation{
	MemoryProfile:   {profilerPath, []string{"-xml", "SPMemoryDataType"}, 20 * time.Second},
	FirmwareProfile: {profilerPath, []string{"-xml", "SPHardwareDataType", "SPiBridgeDataType"}, 20 * time.Second},
	DisksProfile:    {profilerPath, []string{"-xml", "SPNVMeDataType", "SPSerialATADataType"}, 30 * time.Second},
	DisplaysProfile: {profilerPath, []string{"-xml", "SPDisplaysDataType"}, 20 * time.Second},
	PlatformExpert:  {registryPath, []string{"-a", "-r", "-d", "1", "-c", "IOPlatformExpertDevice"}, 10 * time.Second},
	PCIRegistry:     {registryPath, []string{"-a", "-r", "-d", "1", "-c", "IOPCIDevice"}, 10 * time.Second},
	USBRegistry:     {registryPath, []string{"-a", "-l", "-r", "-d", "2", "-c", "IOUSBHostDevice"}, 10 * time.Second},
	BatteryRegistry: {registryPath, []string{"-a", "-r", "-d", "1", "-c", "AppleSmartBattery"}, 10 * time.Second},
	FileVaultStatus: {"/usr/bin/fdesetup", []string{"status"}, 10 * time.Second},
	VolumeGroups:    {"/usr/sbin/diskutil", []string{"apfs", "list", "-plist"}, 20 * time.Second},
	DirectoryUsers: {directoryPath, []string{"-plist", ".", "-readall", "/Users", "RecordName", "RealName", "UniqueID",
		"NFSHomeDirectory", "UserShell", "OriginalNodeName"}, 20 * time.Second},
	DirectoryGroups: {directoryPath, []string{"-plist", ".", "-readall", "/Groups", "RecordName", "PrimaryGroupID",
		"GroupMembership"}, 20 * time.Second},
	DomainMembership:    {"/usr/sbin/dsconfigad", []string{"-show", "-xml"}, 20 * time.Second},
	MDMStatus:           {"/usr/bin/profiles", []string{"status", "-type", "enrollment"}, 20 * time.Second},
	SystemJobs:          {"/bin/launchctl", []string{"list"}, 10 * time.Second},
	IntegrityStatus:     {"/usr/bin/csrutil", []string{"status"}, 10 * time.Second},
	GatekeeperStatus:    {"/usr/sbin/spctl", []string{"--status"}, 10 * time.Second},
	ApplicationFirewall: {firewallPath, []string{"--getglobalstate"}, 10 * time.Second},
}

// maxOutput bounds the output of a command, in bytes.
const maxOutput = 16 << 20

// Output starts the command and returns its standard output, also with an error: some commands
// report by their exit code what they print.
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
		err = fmt.Errorf("%s: %s: %w", name, i.path, err)
	}
	return out.text.String(), err
}

// limitedBuffer fails the write that exceeds maxOutput, which ends the command.
type limitedBuffer struct{ text bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxOutput {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}
