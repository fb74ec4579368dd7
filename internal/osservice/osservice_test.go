package osservice

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDefinitionNamesTheInstalledProgram(t *testing.T) {
	t.Parallel()
	d := Definition{
		Program: "/usr/bin/p", Unit: "ExecStart=/usr/bin/p run\n", OpenRC: "command=\"/usr/bin/p\"\n",
		LaunchdProgram: "/opt/p/p", Launchd: "<string>/opt/p/p</string>",
	}
	options := d.config("/opt/p").Option
	if got := options["SystemdScript"]; got != "ExecStart={{Path | cmdEscape}} run\n" {
		t.Errorf("systemd: %q", got)
	}
	if got := options["OpenRCScript"]; got != "command=\"{{Path | cmdEscape}}\"\n" {
		t.Errorf("OpenRC: %q", got)
	}
	if got := options["LaunchdConfig"]; got != "<string>{{Path | html}}</string>" {
		t.Errorf("launchd: %q", got)
	}
}

func TestJournalLinesHavePriorities(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := newLogger(&out, true).With("agent", "a 1")
	logger.Info("started", "version", "v1")
	logger.Warn("failed", "error", errors.New("x\ny"))
	logger.Error("ended")
	logger.Debug("nothing")
	want := "<6>msg=started agent=\"a 1\" version=v1\n<4>msg=failed agent=\"a 1\" error=\"x\\ny\"\n<3>msg=ended agent=\"a 1\"\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	out.Reset()
	newLogger(&out, false).LogAttrs(t.Context(), slog.LevelInfo, "started")
	if !strings.HasPrefix(out.String(), "time=") {
		t.Errorf("a terminal: %q", out.String())
	}
}

func TestProgramThatOthersCanReplaceIsRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the access rights of a temporary directory of Windows depend on the machine")
	}
	program := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o757); err != nil {
		t.Fatal(err)
	}
	if err := checkProtected(program); err == nil || !strings.Contains(err.Error(), "can change") {
		t.Errorf("got %v", err)
	}
}
