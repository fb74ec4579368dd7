package virtualmachine

import (
	"errors"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/musterhq/muster/agent/host"
)

// process is a running program that may run a virtual machine.
type process struct {
	program   string   // the name of its file
	arguments []string // the first is what the process calls itself
}

// programs are prefixes of the names of the programs that run virtual machines, as the kernel
// reports them. libvirt may name a machine's process "qemu:NAME". Each process can choose its name,
// so it only selects those whose program is examined.
var programs = []string{"qemu", "kvm", "VBox", "VirtualBox"}

// maxCommandLine bounds a command line, in bytes. That of a libvirt machine with dozens of disks
// has about 20,000.
const maxCommandLine = 256 << 10

// listProcesses finds the processes that may run virtual machines. For all others it reads only the
// name.
func (s *survey) listProcesses() {
	entries, err := s.host.ReadDir("/proc")
	if err != nil {
		if !absent(err) {
			s.fail(err)
		}
		return
	}
	var name [64]byte
	for _, entry := range entries {
		pid := entry.Name()
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		s.live = true
		comm, err := s.host.ReadInto("/proc/"+pid+"/comm", name[:])
		if err != nil || !runsMachine(string(comm)) { // the process may have ended
			continue
		}
		if program := s.program(pid); program != "" {
			if arguments := s.commandLine(pid); len(arguments) > 0 {
				s.processes = append(s.processes, process{program: program, arguments: arguments})
			}
		}
	}
}

func runsMachine(comm string) bool {
	for _, program := range programs {
		if strings.HasPrefix(comm, program) {
			return true
		}
	}
	return false
}

// program returns the name of the file that a process runs, or "" if the process has ended, or is a
// thread of the kernel, or if the file is not the system's.
func (s *survey) program(pid string) string {
	file, err := s.host.Program(pid)
	if err != nil {
		if !absent(err) && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, host.ErrRefused) {
			s.fail(err)
		}
		return ""
	}
	return path.Base(file)
}

// commandLine returns the arguments of a process, or nil if it has ended.
func (s *survey) commandLine(pid string) []string {
	text, err := s.host.ReadFile("/proc/"+pid+"/cmdline", maxCommandLine)
	if err != nil {
		if !absent(err) && !errors.Is(err, syscall.ESRCH) {
			s.fail(err)
		}
		return nil
	}
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// runs reports whether a process still runs the machine with a UUID. Its process ID may have been
// reused.
func (s *survey) runs(pid int, uuid string) bool {
	id := strconv.Itoa(pid)
	return pid > 0 && emulator(s.program(id)) && strings.Contains(strings.Join(s.commandLine(id), " "), uuid)
}

// emulator reports whether a program emulates machines; QEMU has other programs too.
func emulator(program string) bool {
	return strings.HasPrefix(program, "qemu-system-") || program == "qemu-kvm" || program == "kvm"
}

// startedVM returns the UUID or the name of the VirtualBox machine that the process runs, or "".
func (p process) startedVM() string {
	if !strings.HasPrefix(p.program, "VBox") && !strings.HasPrefix(p.program, "VirtualBox") {
		return ""
	}
	for i, argument := range p.arguments[:len(p.arguments)-1] {
		if strings.HasPrefix(argument, "-") && strings.TrimLeft(argument, "-") == "startvm" {
			return p.arguments[i+1]
		}
	}
	return ""
}
