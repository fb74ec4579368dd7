package main

import "runtime/debug"

// version returns the version that the Go tool stamped into the program, from the release's tag or
// the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
