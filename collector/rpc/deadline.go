package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc/tap"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// unaryTimeout bounds a unary call, with the time until its message has arrived.
const unaryTimeout = 30 * time.Second

// boundUnary sets the deadline of a unary call. It is a tap, because gRPC reads the message before
// it calls an interceptor. A stream has deadlines of its own.
func boundUnary(ctx context.Context, info *tap.Info) (context.Context, error) {
	if info.FullMethodName == inventoryv1.Inventory_Sync_FullMethodName {
		return ctx, nil
	}
	bounded, cancel := context.WithTimeout(ctx, unaryTimeout)
	context.AfterFunc(ctx, cancel) // the call ends
	return bounded, nil
}
