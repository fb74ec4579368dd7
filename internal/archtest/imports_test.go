package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/musterhq/muster"

// systems are those that the agent runs on. The imports of a package may differ between them.
var systems = []string{"linux", "windows", "darwin"}

// goPackage is a package in the output of go list.
type goPackage struct {
	ImportPath string
	Imports    []string
}

// path returns the package's path below the module.
func (p *goPackage) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// list runs go list for a system in the module's root, with the tags of the Makefile.
func list(t *testing.T, system string, args ...string) []*goPackage {
	t.Helper()
	args = append([]string{"list", "-json=ImportPath,Imports"}, args...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false -tags=grpcnotrace")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, stderr.String())
	}
	var packages []*goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, &p)
	}
}

// match reports whether path is the pattern or, for "…/...", below it.
func match(pattern, path string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == parent || strings.HasPrefix(path, parent+"/")
	}
	return path == pattern
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return match(pattern, path) })
}

// within reports whether path is the library or part of it.
func within(library, path string) bool { return match(library+"/...", path) }

func TestImports(t *testing.T) {
	t.Parallel()
	for _, system := range systems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			for _, p := range list(t, system, "./...") {
				checkUses(t, p)
				checkOwners(t, p)
				checkPure(t, p)
			}
		})
	}
}

func checkUses(t *testing.T, p *goPackage) {
	t.Helper()
	for _, rule := range uses {
		if !match(rule.pkg, p.path()) {
			continue
		}
		for _, path := range p.Imports {
			if ours, ok := strings.CutPrefix(path, module+"/"); ok && !matchAny(rule.may, ours) {
				t.Errorf("%s imports %s; of this module it may import only %q", p.path(), ours, rule.may)
			}
		}
		return
	}
	t.Errorf("%s has no rule: add its allowed imports to rules_test.go", p.path())
}

func checkOwners(t *testing.T, p *goPackage) {
	t.Helper()
	for _, rule := range owners {
		for _, path := range p.Imports {
			if within(rule.library, path) && !matchAny(rule.by, p.path()) {
				t.Errorf("%s imports %s, which only %q may import (%s)", p.path(), path, rule.by, rule.reason)
			}
		}
	}
}

func checkPure(t *testing.T, p *goPackage) {
	t.Helper()
	if !matchAny(pure, p.path()) {
		return
	}
	for _, path := range p.Imports {
		if slices.Contains(impure, path) {
			t.Errorf("%s imports %s, but must have no I/O, clock or context", p.path(), path)
		}
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, system := range systems {
		for _, rule := range programs {
			t.Run(system+"/"+rule.pkg, func(t *testing.T) {
				t.Parallel()
				for _, p := range list(t, system, "-deps", "./"+rule.pkg) {
					for _, library := range rule.never {
						if within(library, p.ImportPath) {
							t.Errorf("%s is linked into %s on %s: %s", p.ImportPath, rule.pkg, system, rule.reason)
						}
					}
				}
			})
		}
	}
}
