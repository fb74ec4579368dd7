package cpu

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// processorPackage is one processor package as the kernel reports it. A number is 0 if the kernel
// does not report it.
type processorPackage struct {
	vendor     string
	model      string
	microcode  string
	cores      uint32
	threads    uint32
	maxMHz     uint32
	currentMHz uint32
}

// maxCPUInfo bounds /proc/cpuinfo, in bytes: 1.5 KiB for each of 8,192 processors, the maximum that
// Linux supports.
const maxCPUInfo = 12 << 20

// readPackages returns the processor packages, sorted by the kernel's numbers.
func readPackages(h *host.Host) ([]processorPackage, error) {
	data, err := h.ReadFile("/proc/cpuinfo", maxCPUInfo)
	if errors.Is(err, fs.ErrNotExist) {
		if packages := ofWindows(h); len(packages) > 0 {
			return packages, nil
		}
		return nil, fmt.Errorf("%w: no /proc/cpuinfo", host.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	groups := map[string][]logical{}
	for _, p := range parseCPUInfo(data) {
		if p.pkg == "" {
			p.pkg, p.core = topology(h, p.number, "physical_package_id"), topology(h, p.number, "core_id")
		}
		groups[p.pkg] = append(groups[p.pkg], p)
	}
	var packages []processorPackage
	for _, id := range slices.SortedFunc(maps.Keys(groups), byNumber) {
		p := join(groups[id])
		p.maxMHz = maxMHz(h, groups[id][0].number)
		packages = append(packages, p)
	}
	return packages, nil
}

// byNumber orders decimal numbers in text form.
func byNumber(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

// logical is one processor of /proc/cpuinfo: a thread of a core.
type logical struct {
	number string
	pkg    string // "physical id"
	core   string // "core id"
	fields map[string]string
}

// cpuFields are the fields of /proc/cpuinfo that are used. x86 has all of them; other architectures
// have few.
var cpuFields = []string{"vendor_id", "model name", "microcode", "cpu MHz", "cpu cores", "siblings"}

// parseCPUInfo reads /proc/cpuinfo: lines of name and value, grouped by processor number. Lines
// before the first processor apply to all processors.
func parseCPUInfo(data []byte) []logical {
	var list []logical
	shared := map[string]string{}
	for line := range bytes.Lines(data) {
		name, value, found := bytes.Cut(line, []byte(":"))
		key, text := string(bytes.TrimSpace(name)), string(bytes.TrimSpace(value))
		switch {
		case !found:
		case key == "processor" || key == "cpu number":
			list = append(list, logical{number: text, fields: maps.Clone(shared)})
		case !slices.Contains(cpuFields, key) && key != "physical id" && key != "core id":
		case len(list) == 0:
			shared[key] = text
		case key == "physical id":
			list[len(list)-1].pkg = text
		case key == "core id":
			list[len(list)-1].core = text
		default:
			list[len(list)-1].fields[key] = text
		}
	}
	return list
}

// join describes a package by its threads.
func join(threads []logical) processorPackage {
	first := threads[0].fields
	p := processorPackage{
		vendor:     first["vendor_id"],
		model:      first["model name"],
		microcode:  first["microcode"],
		cores:      number(first["cpu cores"]),
		threads:    number(first["siblings"]),
		currentMHz: number(first["cpu MHz"]),
	}
	if p.threads == 0 {
		for range threads {
			p.threads++
		}
	}
	if p.cores == 0 {
		p.cores = distinctCores(threads)
	}
	return p
}

// distinctCores counts the core numbers. It returns 0 if a thread has none.
func distinctCores(threads []logical) (count uint32) {
	seen := map[string]bool{}
	for _, t := range threads {
		if t.core == "" {
			return 0
		}
		if !seen[t.core] {
			seen[t.core] = true
			count++
		}
	}
	return count
}

// number returns the integer part of a number, or 0 if the text is not a number.
func number(text string) uint32 {
	whole, _, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

const cpuDevices = "/sys/devices/system/cpu/cpu"

// topology reads the package or core of a processor whose /proc/cpuinfo does not contain it, as on
// ARM. A kernel that does not know it returns -1.
func topology(h *host.Host, processor, name string) string {
	value, err := h.ReadFile(cpuDevices+processor+"/topology/"+name, 64)
	if text := strings.TrimSpace(string(value)); err == nil && text != "-1" {
		return text
	}
	return ""
}

// maxMHz reads the maximum frequency of a processor. The kernel reports it, in kHz, only if it
// controls the frequency.
func maxMHz(h *host.Host, processor string) uint32 {
	value, err := h.ReadFile(cpuDevices+processor+"/cpufreq/cpuinfo_max_freq", 64)
	if err != nil {
		return 0
	}
	return number(strings.TrimSpace(string(value))) / 1000
}
