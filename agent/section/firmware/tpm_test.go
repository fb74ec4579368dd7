package firmware

import (
	"encoding/binary"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/section/hosttest"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// tpmAnswer is the answer of a TPM with these properties and values.
func tpmAnswer(pairs ...uint32) []byte {
	answer := []byte{0x80, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 6}
	answer = binary.BigEndian.AppendUint32(answer, uint32(len(pairs)/2))
	for _, n := range pairs {
		answer = binary.BigEndian.AppendUint32(answer, n)
	}
	return answer
}

func TestParseTPM(t *testing.T) {
	t.Parallel()
	infineon := []uint32{
		0x105, 'I'<<24 | 'F'<<16 | 'X'<<8, 0x106, 'S'<<24 | 'L'<<16 | 'B'<<8 | '9', 0x10b, 7<<16 | 85, 0x10c, 0x11cb00,
	}
	for name, test := range map[string]struct {
		answer                 []byte
		manufacturer, firmware string
	}{
		"infineon":     {tpmAnswer(infineon...), "IFX", "7.85.17.51968"},
		"half version": {tpmAnswer(infineon[:6]...), "IFX", ""},
		"cut off":      {tpmAnswer(infineon...)[:30], "IFX", ""},
		"failed":       {append([]byte{0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 1}, make([]byte, 20)...), "", ""},
		"empty":        {nil, "", ""},
	} {
		manufacturer, firmware := parseTPM(test.answer)
		if manufacturer != test.manufacturer || firmware != test.firmware {
			t.Errorf("%s: got %q, %q", name, manufacturer, firmware)
		}
	}
}

func FuzzParseTPM(f *testing.F) {
	f.Add(tpmAnswer(0x105, 0x49465800, 0x10b, 0x70055, 0x10c, 0x11cb00))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if manufacturer, _ := parseTPM(answer); !utf8.ValidString(manufacturer) || len(manufacturer) > 4 {
			t.Errorf("%q", manufacturer)
		}
	})
}

func TestWindowsAnswers(t *testing.T) {
	t.Parallel()
	r := hosttest.Registry(t, map[string]map[string]any{controlKey: {"PEFirmwareType": uint32(2)}})
	h := hosttest.WindowsMachine(t, r, []hosttest.Call{
		{Call: "firmware variable", Argument: "SetupMode{8be4df61-93ca-11d2-aa0d-00e098032b8c}", Value: []byte{1}},
		{Call: "TPM version", Value: "2.0"},
		{Call: "TPM properties", Value: tpmAnswer(0x105, 'A'<<24|'M'<<16|'D'<<8)},
	})
	items, err := collect(t.Context(), h)
	want := []proto.Message{&inventoryv1.Firmware{
		Mode: "uefi", SecureBootSetupMode: proto.Bool(true), TpmVersion: "2.0", TpmManufacturer: "AMD",
	}}
	if diff := gocmp.Diff(want, items, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
