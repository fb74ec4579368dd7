package firmware

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	h := hosttest.Windows(t, map[string]map[string]any{
		controlKey:    {"PEFirmwareType": uint32(2)},
		secureBootKey: {"UEFISecureBootEnabled": uint32(1)},
		biosKey: {
			"BIOSVendor": "Dell Inc.", "BIOSVersion": "1.14.1", "BIOSReleaseDate": "01/02/2024", "BiosMajorRelease": uint32(1),
			"BiosMinorRelease": uint32(14),
		},
	})
	items, err := collect(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []proto.Message{&inventoryv1.Firmware{
		Vendor: "Dell Inc.", Version: "1.14.1", ReleaseDate: "01/02/2024", Revision: "1.14", Mode: "uefi", SecureBoot: proto.Bool(true),
	}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
