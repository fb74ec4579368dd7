package importer

import (
	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// cpus returns an item per socket, in the order of the file. The speed is the current one on some
// systems and the nominal one on others, so it is a reading. Threads are counted per socket on some
// systems and per core on others: fewer threads than cores means per core, and then the socket's
// threads are unknown.
func (m *machine) cpus() []entry {
	var items []entry
	var socket uint32
	for _, n := range m.entries("cpus") {
		item := &inventoryv1.Cpu{
			Socket:       proto.Uint32(socket),
			Manufacturer: n.get("manufacturer"),
			Model:        n.get("name"),
			Family:       n.get("familyname"),
			SerialNumber: n.get("serial"),
			ProcessorId:  n.get("id"),
			Cores:        m.count(n, "core"),
			Threads:      m.count(n, "thread"),
			CurrentMhz:   m.count(n, "speed", "MHz"),
		}
		if item.GetThreads() < item.GetCores() {
			item.Threads = nil
		}
		if arch := n.get("arch"); arch != "i386" { // agents write i386 for all of x86, 64 bits included
			item.Arch = arch
		}
		items = append(items, entry{item, n})
		socket++
	}
	return items
}
