package hosttest

import (
	"os"
	"testing"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/registry"
)

// RegFiles returns a registry with the keys of registry exports.
func RegFiles(t testing.TB, files ...string) *host.RegistryTree {
	t.Helper()
	var all []registry.Key
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // a recorded file
		if err != nil {
			t.Fatal(err)
		}
		keys, err := registry.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, keys...)
	}
	return registry.Tree(all)
}
