package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
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

// TestRulesNamePackages: every pattern of a rule matches a package, unless the package is planned. A
// planned package that exists is no longer planned.
func TestRulesNamePackages(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, system := range systems {
		for _, p := range list(t, system, "./...") {
			paths = append(paths, p.path())
		}
	}
	exists := func(pattern string) bool {
		return slices.ContainsFunc(paths, func(path string) bool { return match(pattern, path) })
	}
	named := map[string]bool{}
	for where, patterns := range rulePatterns() {
		for _, pattern := range patterns {
			named[pattern] = true
			if !exists(pattern) && !slices.Contains(planned, pattern) {
				t.Errorf("%s: there is no package %s; delete it or list it as planned", where, pattern)
			}
		}
	}
	for _, pkg := range planned {
		if exists(pkg) {
			t.Errorf("planned: the package %s exists", pkg)
		}
		if !named[pkg] {
			t.Errorf("planned: no rule names the package %s", pkg)
		}
	}
}

// rulePatterns returns the patterns of all rules by the rule that they are part of.
func rulePatterns() map[string][]string {
	patterns := map[string][]string{"pure": pure, "constrained": slices.Collect(maps.Keys(constrained))}
	for _, rule := range uses {
		patterns["uses: "+rule.pkg] = append(slices.Clone(rule.may), rule.pkg)
	}
	for _, rule := range owners {
		patterns["owners: "+rule.library] = rule.by
	}
	for _, rule := range programs {
		where := "programs: " + rule.pkg
		patterns[where] = append(patterns[where], rule.pkg)
		for _, path := range rule.never {
			if ours, ok := strings.CutPrefix(path, module+"/"); ok {
				patterns[where] = append(patterns[where], ours)
			}
		}
	}
	return patterns
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
