package osservice

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Run runs the program as the service name, or in the foreground if the service control manager did
// not start it. The service manager itself decides which: the library looks at the session and the
// parent process, which is wrong in Wine. The program ends when ctx ends or the service is stopped.
func Run(ctx context.Context, name string, program func(context.Context, *slog.Logger) error) error {
	handler := &handler{ctx: ctx, name: name, program: program}
	err := svc.Run(name, handler)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return program(ctx, newLogger(os.Stderr, false))
	}
	return errors.Join(err, handler.err)
}

// handler runs the program under the service control manager.
type handler struct {
	ctx     context.Context //nolint:containedctx // svc.Handler has no parameter for it
	name    string
	program func(context.Context, *slog.Logger) error
	err     error
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	ctx, stop := context.WithCancel(h.ctx)
	defer stop()
	logger, closeLog := eventLogger(h.name)
	defer closeLog()
	done := make(chan error, 1)
	go func() { done <- h.run(ctx, logger) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case h.err = <-done:
			if h.err == nil {
				return false, 0
			}
			logger.Error("service failed", "error", h.err)
			return true, exitCode(h.err)
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				status <- request.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				stop()
			}
		}
	}
}

// run runs the program, unless users who are not administrators could replace it: they would get
// the rights of the system.
func (h *handler) run(ctx context.Context, logger *slog.Logger) error {
	if err := checkRunning(); err != nil {
		return err
	}
	if err := configure(h.name); err != nil {
		logger.Warn("the service is not restarted after a failure", "error", err)
	}
	if err := limit(); err != nil {
		logger.Warn("the resources of the service are not limited", "error", err)
	}
	return h.program(ctx, logger)
}

// exitCode returns the code with which the service ends. The service manager restarts it after all
// codes except 0.
func exitCode(err error) uint32 {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) && coded.ExitCode() == ExitNoRestart {
		return 0
	}
	return 1
}

// eventLogger returns a logger that writes to the Event Log, where each event has its time and
// level. It discards all if the log cannot be opened, because a service has no other output.
func eventLogger(name string) (*slog.Logger, func()) {
	log, err := eventlog.Open(name)
	if err != nil {
		return slog.New(slog.DiscardHandler), func() {}
	}
	undated := &slog.HandlerOptions{ReplaceAttr: withoutTimeAndLevel}
	return slog.New(lineHandler{
		encode: func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, undated) },
		write: func(level slog.Level, line []byte) error {
			switch {
			case level >= slog.LevelError:
				return log.Error(3, string(line))
			case level >= slog.LevelWarn:
				return log.Warning(2, string(line))
			}
			return log.Info(1, string(line))
		},
	}), func() { _ = log.Close() }
}
