// Package section runs the collectors of the sections one after the other and returns the status of
// each. A collector that hangs, panics or takes too much memory does not harm the others. The
// package never decides what a section contains; each section has a package of its own below this
// one. Start reading at Collector and Runner.
package section

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/internal/inventory"
)

// Deadline is the maximum duration of a section whose collector sets none.
const Deadline = 60 * time.Second

// Collector collects one section.
type Collector struct {
	// Name is the section's name in the .proto.
	Name string
	// Deadline bounds Collect; 0 means the package's Deadline.
	Deadline time.Duration
	// Collect returns the section's items in any order. Items together with an error are a partial
	// section: items that are missing from it may still exist. host.ErrUnsupported and
	// fs.ErrPermission have statuses of their own.
	Collect func(ctx context.Context, h *host.Host) ([]proto.Message, error)
}

// Report is the result of collecting one section.
type Report struct {
	Section  string
	Status   inventory.Status
	Message  string // reason why the status is not ok
	Duration time.Duration
	Items    []proto.Message // nil unless Status.Collected
}

// Run collects the sections in order, each once. It always returns a report for each of them.
func Run(ctx context.Context, h *host.Host, collectors []Collector) []Report {
	runner := NewRunner(nil)
	reports := make([]Report, len(collectors))
	for i, c := range collectors {
		reports[i] = runner.Run(ctx, h, c)
	}
	return reports
}

func status(o outcome) inventory.Status {
	switch {
	case len(o.items) > 0:
		return inventory.StatusPartial
	case errors.Is(o.err, host.ErrUnsupported):
		return inventory.StatusUnsupported
	case errors.Is(o.err, fs.ErrPermission):
		return inventory.StatusDenied
	case errors.Is(o.err, context.DeadlineExceeded):
		return inventory.StatusTimeout
	default:
		return inventory.StatusError
	}
}

// lines returns the different lines of a message. errors.Join puts each error on a line of its own.
func lines(message string) []string {
	var list []string
	for line := range strings.Lines(message) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// oneLine joins lines and cuts the result between two characters.
func oneLine(lines []string) string {
	message := strings.ToValidUTF8(strings.Join(lines, "; "), "\uFFFD")
	if len(message) <= maxMessage {
		return message
	}
	end := maxMessage
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end]
}

// denied describes a section of which the agent may read nothing. Its other lines say the same of
// other files.
func denied(lines []string) string {
	more := ""
	if len(lines) > 1 {
		more = fmt.Sprintf(", and %d more", len(lines)-1)
	}
	return oneLine([]string{lines[0] + more, "run the agent as root"})
}
