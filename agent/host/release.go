package host

import "runtime/debug"

// Bounds of the memory that this process occupies while it waits, in bytes. Releasing more would
// cost more CPU time than an unchanged check-in: for the garbage collection, and to read the
// program's pages again.
const (
	enoughHeap = 8 << 20
	enough     = 12 << 20
)

// ReleaseMemory returns to the system the memory that this process does not need while it waits, if
// it occupies much: free heap, and pages of its program that the system reads again from the file
// when they are needed.
func ReleaseMemory() {
	total, files, known := resident()
	if !known || total-files > enoughHeap {
		debug.FreeOSMemory()
		total, _, known = resident()
	}
	if !known || total > enough {
		dropProgram()
	}
}
