package profiler

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
)

// Ask starts system_profiler and returns the items that decode finds in its report. Systems other
// than macOS do not have the command.
func Ask(
	ctx context.Context, h *host.Host, command host.Command, decode func(Report) ([]proto.Message, error),
) ([]proto.Message, error) {
	data, err := h.Output(ctx, command)
	if err != nil {
		return nil, err
	}
	report, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return decode(report)
}

// Items returns what item makes of the nodes of a data type. It skips nodes of which item makes
// nil.
func Items[M any, P interface {
	*M
	proto.Message
}](report Report, dataType string, item func(*Node) P) []P {
	var items []P
	for n := range report.All(dataType) {
		if made := item(n); made != nil {
			items = append(items, made)
		}
	}
	return items
}

// First is Items for a section with one item: it returns the first.
func First[M any, P interface {
	*M
	proto.Message
}](report Report, dataType, what string, item func(*Node) P) ([]proto.Message, error) {
	items := Items(report, dataType, item)
	return Found(items[:min(len(items), 1)], what)
}

// Found returns the items of a report, or that the report does not describe what was looked for.
func Found[P proto.Message](items []P, what string) ([]proto.Message, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("the report does not describe %s: %w", what, host.ErrUnsupported)
	}
	list := make([]proto.Message, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list, nil
}
