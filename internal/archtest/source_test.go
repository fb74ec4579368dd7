package archtest

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
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

// walk calls visit for every file of the project.
func walk(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	top := root(t)
	err := fs.WalkDir(os.DirFS(top), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "var"}, path) {
				return fs.SkipDir
			}
			return nil
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

func TestFolders(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(folders, entry.Name()) {
			t.Errorf("folder %s: the top of the tree has only %q", entry.Name(), folders)
		}
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
