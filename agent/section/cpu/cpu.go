// Package cpu collects the processor sockets: those of the SMBIOS table, completed by what the kernel knows of its
// processors, or the kernel's alone where there is no table. It does not measure load.
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

// Collector collects the section cpu.
func Collector() section.Collector {
	return section.Collector{Name: "cpu", Collect: collect}
}

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
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
			err = nil // the kernel's word is all there is
		}
		return messages(fromPackages(packages, arch)), err
	}
	complete(sockets, table.Processors(), packages, arch)
	return messages(sockets), err
}

// FromTable gives one item per processor socket of the table; err is what came of reading it.
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

// complete adds to the table's sockets what only the kernel knows, and what the table is too old to say. Which
// package sits in which socket is known only where there are as many of the one as of the other.
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

// known is nil for 0, by which a source says that it does not know.
func known(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}
