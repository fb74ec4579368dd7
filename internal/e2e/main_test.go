package e2e

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/store"
)

// programs are the paths of the two programs.
type programs struct{ agent, collector string }

// built is set before the first test. Package testing offers no place for it except a package
// variable.
var built programs

func TestMain(m *testing.M) { pgtest.Main(suite{m}, store.Migrate) }

// suite builds the programs before the tests run and removes them afterwards.
type suite struct{ *testing.M }

// parallel is the default number of parallel tests, which wait for other processes most of the
// time.
const parallel = "6"

// Run implements the interface of pgtest.Main.
func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "muster-e2e-")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if built, err = build(dir); err != nil {
		log.Print(err)
		return 1
	}
	if err := flag.Set("test.parallel", parallel); err != nil {
		log.Print(err)
		return 1
	}
	return s.M.Run()
}

// build makes both programs as the Makefile does.
func build(dir string) (programs, error) {
	p := programs{agent: filepath.Join(dir, "muster-agent"), collector: filepath.Join(dir, "muster-collector")}
	for name, file := range map[string]string{"agent": p.agent, "collector": p.collector} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-tags=grpcnotrace", "-o", file, "../../"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return p, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return p, nil
}
