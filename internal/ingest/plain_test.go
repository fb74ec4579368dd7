package ingest

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestPlainIsNeverLaxer checks that validate accepts, without a change, what plain accepts.
func TestPlainIsNeverLaxer(t *testing.T) {
	t.Parallel()
	section, _ := wire.Lookup("software")
	plains := 0
	rapid.Check(t, func(t *rapid.T) {
		encoded, err := proto.Marshal(&inventoryv1.Software{
			InstallDate: rapid.SampledFrom([]*timestamppb.Timestamp{
				nil, {}, {Seconds: 1700000000}, {Seconds: 1, Nanos: 1}, {Seconds: -1 << 60}, {Seconds: 1 << 60},
			}).Draw(t, "date"),
			InstallLocation: rapid.OneOf(rapid.String(), rapid.StringMatching(`/[a-z]{1,20}`)).Draw(t, "location"),
			SizeBytes:       rapid.SampledFrom([]*uint64{nil, proto.Uint64(1 << 40)}).Draw(t, "size"),
		})
		if err != nil {
			t.Fatal(err)
		}
		// Agents may send damaged or made-up bytes.
		if len(encoded) > 0 && rapid.Bool().Draw(t, "damaged") {
			encoded[rapid.IntRange(0, len(encoded)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		if !plain(section, encoded) {
			return
		}
		plains++
		if m, verdict := validate(section, encoded); m == nil || verdict.Outcome != "" {
			t.Fatalf("%x is plain, but validate returned %+v", encoded, verdict)
		}
	})
	if plains == 0 {
		t.Error("nothing was plain")
	}
}
