// Package cpu collects the processor sockets from the SMBIOS table and adds what the kernel reports
// about its processors. Without a table it uses the kernel's data alone. It never measures load.
// Start reading at collect.
package cpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/smbios"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section cpu.
func Collector() section.Collector {
	return section.Collector{Name: "cpu", Collect: collect}
}

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsMac() {
		return collectMac(h)
	}
	packages, kernelErr := readPackages(h)
	table, err := smbios.Read(h)
	sockets := fromTable(&table)
	arch := ""
	if kernel, err := h.Kernel(); err == nil {
		arch = kernel.Arch
	}
	if len(sockets) == 0 && len(packages) == 0 {
		return nil, cmp.Or(err, kernelErr, fmt.Errorf("%w: no processor listed", host.ErrUnsupported))
	}
	if len(sockets) == 0 {
		if errors.Is(err, host.ErrUnsupported) || errors.Is(err, smbios.ErrNoTable) {
			err = nil // the kernel's data is all there is
		}
		return messages(fromPackages(packages, arch)), err
	}
	complete(sockets, table.Processors(), packages, arch)
	return messages(sockets), err
}

// FromTable returns one item per processor socket of the table. err is the error from reading the
// table.
func FromTable(table *smbios.Table, err error) ([]proto.Message, error) {
	sockets := fromTable(table)
	if len(sockets) == 0 && err == nil {
		err = fmt.Errorf("%w: the SMBIOS table lists no processor", host.ErrUnsupported)
	}
	return messages(sockets), err
}

func messages(sockets []*inventoryv1.Cpu) []proto.Message {
	items := make([]proto.Message, len(sockets))
	for i, socket := range sockets {
		items[i] = socket
	}
	return items
}

func fromTable(table *smbios.Table) []*inventoryv1.Cpu {
	var sockets []*inventoryv1.Cpu
	var socket uint32
	for _, p := range table.Processors() {
		sockets = append(sockets, &inventoryv1.Cpu{
			Socket:       new(socket),
			Designation:  p.Designation,
			Manufacturer: p.Manufacturer,
			Model:        p.Version,
			Family:       p.Family,
			Status:       p.Status,
			SerialNumber: p.SerialNumber,
			PartNumber:   p.PartNumber,
			Cores:        known(uint32(p.Cores)),
			Threads:      known(uint32(p.Threads)),
			MaxMhz:       known(uint32(p.MaxMHz)),
			ProcessorId:  p.ID,
			CurrentMhz:   known(uint32(p.CurrentMHz)),
		})
		socket++
	}
	return sockets
}

func fromPackages(packages []processorPackage, arch string) []*inventoryv1.Cpu {
	var sockets []*inventoryv1.Cpu
	var socket uint32
	for _, p := range packages {
		sockets = append(sockets, &inventoryv1.Cpu{
			Socket:       new(socket),
			Manufacturer: p.vendor,
			Model:        p.model,
			Cores:        known(p.cores),
			Threads:      known(p.threads),
			MaxMhz:       known(p.maxMHz),
			Arch:         arch,
			Microcode:    p.microcode,
			CurrentMhz:   known(p.currentMHz),
		})
		socket++
	}
	return sockets
}

// complete adds to the table's sockets what only the kernel reports and what an old table lacks. It
// can match packages to sockets only if both have the same number.
func complete(sockets []*inventoryv1.Cpu, processors []smbios.Processor, packages []processorPackage, arch string) {
	var running []*inventoryv1.Cpu
	for i, p := range processors {
		if p.Running {
			running = append(running, sockets[i])
		}
	}
	for i, socket := range running {
		socket.Arch = arch
		if len(packages) != len(running) {
			continue
		}
		p := packages[i]
		socket.Microcode = p.microcode
		if socket.GetModel() == "" {
			socket.Model = p.model
		}
		if socket.Cores == nil {
			socket.Cores = known(p.cores)
		}
		if socket.Threads == nil {
			socket.Threads = known(p.threads)
		}
	}
}

// known returns nil for 0, which means that the source does not know the number.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}
