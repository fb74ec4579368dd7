package host

import "golang.org/x/sys/windows"

// dropProgram removes this process's pages from its working set; those that are needed again come
// back without reading the disk, as long as the system has memory (SetProcessWorkingSetSize with
// both sizes -1). An error only leaves the memory in use.
func dropProgram() {
	const removeAll = ^uintptr(0)
	_ = windows.SetProcessWorkingSetSizeEx(windows.CurrentProcess(), removeAll, removeAll, 0)
}

func resident() (total, files uint64, known bool) { return 0, 0, false }
