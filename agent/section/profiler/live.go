package profiler

import (
	"context"

	"github.com/musterhq/muster/agent/host"
)

// Read starts system_profiler. Systems other than macOS do not have it.
func Read(ctx context.Context, h *host.Host, command host.Command) (Report, error) {
	data, err := h.Output(ctx, command)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}
