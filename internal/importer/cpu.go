package importer

import (
	"google.golang.org/protobuf/proto"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// cpus gives a socket per entry, in the order of the file. The speed is the present one on some systems and that of the
// name on others, so it is no fact. Threads are the socket's on some systems and a core's on others: where there are
// fewer of them than cores they are a core's, and the socket's are not known.
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
		if arch := n.get("arch"); arch != "i386" { // what agents call all of x86, also of 64 bits
			item.Arch = arch
		}
		items = append(items, entry{item, n})
		socket++
	}
	return items
}
