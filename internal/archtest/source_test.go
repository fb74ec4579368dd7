package archtest

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// root returns the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// source is a Go file that is not generated.
type source struct {
	path string // below the root, with slashes
	file *ast.File
}

func (s *source) pkg() string  { return filepath.ToSlash(filepath.Dir(s.path)) }
func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources parses every Go file that is not generated, for all systems.
func sources(t *testing.T) []*source {
	t.Helper()
	var found []*source
	walk(t, func(path string, text []byte) {
		if filepath.Ext(path) != ".go" {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.IsGenerated(file) {
			found = append(found, &source{path: path, file: file})
		}
	})
	return found
}

// isData reports whether a folder at the top is not part of the project: the output of make, or
// data that someone keeps there, such as another VAR of make run.
func isData(path string) bool {
	switch path {
	case ".", ".git", "bin", "var":
		return path != "."
	}
	return !strings.Contains(path, "/") && !strings.HasPrefix(path, ".") && !slices.Contains(folders, path)
}

// walk calls visit for every file of the project.
func walk(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	top := root(t)
	err := fs.WalkDir(os.DirFS(top), ".", func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && isData(path) { // which may be closed to this user
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() || path == ".git" { // a file in a worktree
			return nil
		}
		text, err := os.ReadFile(filepath.Join(top, path))
		if err != nil {
			return err
		}
		visit(path, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFolders checks the folders that git tracks. Others are data that someone keeps in the tree.
func TestFolders(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("the tree is not a checkout of git: %v", err)
	}
	for _, name := range unexpectedFolders(string(out)) {
		t.Errorf("folder %s: the top of the tree has only %q", name, folders)
	}
}

// unexpectedFolders returns the folders at the top of tracked files that no rule names.
func unexpectedFolders(files string) []string {
	var unexpected []string
	for file := range strings.SplitSeq(files, "\x00") {
		name, _, inFolder := strings.Cut(file, "/")
		if inFolder && !strings.HasPrefix(name, ".") && !slices.Contains(folders, name) && !slices.Contains(unexpected, name) {
			unexpected = append(unexpected, name)
		}
	}
	return unexpected
}

func TestUnexpectedFolders(t *testing.T) {
	t.Parallel()
	got := unexpectedFolders("README.md\x00agent/main.go\x00.ci/x\x00scripts/a\x00scripts/b\x00")
	if !slices.Equal(got, []string{"scripts"}) {
		t.Errorf("got %q, want scripts", got)
	}
}

func TestPackageDoc(t *testing.T) {
	t.Parallel()
	docs := map[string][]string{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		files := docs[s.pkg()]
		if s.file.Doc != nil {
			files = append(files, s.path)
			checkDocBegins(t, s)
		}
		docs[s.pkg()] = files
	}
	for pkg, files := range docs {
		if len(files) != 1 {
			t.Errorf("%s: the package has %d doc comments %q, want 1", pkg, len(files), files)
		}
	}
}

func checkDocBegins(t *testing.T, s *source) {
	t.Helper()
	want := "Package " + s.file.Name.Name + " "
	if s.file.Name.Name == "main" {
		want = "Command " // as in the go command's own mains
	}
	if !strings.HasPrefix(s.file.Doc.Text(), want) {
		t.Errorf("%s: the package's doc comment does not begin with %q", s.path, want)
	}
}

func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has a func init", s.path)
			}
		}
	}
}

func TestNoClockInPurePackages(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() || !matchAny(pure, s.pkg()) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := selector.X.(*ast.Ident)
			if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After"}, selector.Sel.Name) {
				t.Errorf("%s: time.%s in a package that has no clock", s.path, selector.Sel.Name)
			}
			return true
		})
	}
}

// onlySystem matches file names that the go command compiles for one system or processor only.
var onlySystem = regexp.MustCompile(`_(linux|windows|darwin|freebsd|openbsd|netbsd|unix|amd64|arm64|386|arm)\.go$`)

func TestBuildConstraints(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() || constrained[s.pkg()] != "" {
			continue
		}
		if onlySystem.MatchString(s.path) || hasConstraint(s.file) {
			t.Errorf("%s is not compiled on every system", s.path)
		}
	}
}

func hasConstraint(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() < file.Package && constraint.IsGoBuild(comment.Text) {
				return true
			}
		}
	}
	return false
}

func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	path := regexp.MustCompile(`(^|[^\w.\-/])/(` + strings.Join(machinePaths, "|") + `)/`)
	walk(t, func(name string, text []byte) {
		for i, line := range bytes.Split(text, []byte("\n")) {
			if path.Match(line) {
				t.Errorf("%s:%d: a path of one machine: %s", name, i+1, bytes.TrimSpace(line))
			}
		}
	})
}

func TestCommentWidth(t *testing.T) {
	t.Parallel()
	walk(t, func(path string, text []byte) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, ".pb.go") {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			if width := commentWidth(line); width > maxComment {
				t.Errorf("%s:%d: a comment of %d columns, at most %d are allowed", path, i+1, width, maxComment)
			}
		}
	})
}

// commentWidth returns the columns of a line that contains only a comment, else 0. A tab counts as
// 4 columns, a directive such as //go:build as 0, because it cannot be wrapped.
func commentWidth(line string) int {
	text := strings.TrimLeft(line, "\t")
	if !strings.HasPrefix(text, "//") || directive.MatchString(text) {
		return 0
	}
	return 4*(len(line)-len(text)) + utf8.RuneCountInString(text)
}

// directive matches comments that tools read. A generated file begins with one.
var directive = regexp.MustCompile(`^//[a-z]+:|^//nolint|^// Code generated `)

func TestCommentWidthCountsColumns(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{
		"// ab":                 5,
		"\t\t// é":              12,
		"x := 1 // ab":          0,
		"//go:build linux":      0,
		"//nolint:gosec // why": 0,
		"":                      0,
	} {
		if got := commentWidth(line); got != want {
			t.Errorf("%q: got %d columns, want %d", line, got, want)
		}
	}
}
