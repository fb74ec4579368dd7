package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		item proto.Message
		want string
	}{
		{"absent is absent", &inventoryv1.Memory{}, `{}`},
		{"zero is a value", &inventoryv1.Memory{Locator: "A1", SizeBytes: proto.Uint64(0)},
			`{"locator":"A1","size_bytes":0}`},
		{"64 bits are a number", &inventoryv1.Memory{SizeBytes: proto.Uint64(17179869184)}, `{"size_bytes":17179869184}`},
		{"false is a value", &inventoryv1.System{IsVirtual: proto.Bool(false)}, `{"is_virtual":false}`},
		{"times are RFC 3339", &inventoryv1.Software{InstallDate: &timestamppb.Timestamp{Seconds: 1700000000}},
			`{"install_date":"2023-11-14T22:13:20Z"}`},
		{"lists", &inventoryv1.NetworkInterface{Addresses: []string{"192.0.2.1/24", "2001:db8::1/64"}},
			`{"addresses":["192.0.2.1/24","2001:db8::1/64"]}`},
		{"names as they are", &inventoryv1.Software{Publisher: `A <a@example.org> & "B"\`},
			`{"publisher":"A <a@example.org> & \"B\"\\"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, string(wire.AppendJSON(nil, c.item.ProtoReflect()))); diff != "" {
				t.Errorf("JSON (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStringsSurviveJSON checks strings that need escapes and strings that do not.
func TestStringsSurviveJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "name")
		if want == "" {
			return
		}
		text := wire.AppendJSON(nil, (&inventoryv1.Software{Name: want}).ProtoReflect())
		var got struct{ Name string }
		if err := json.Unmarshal(text, &got); err != nil || got.Name != want {
			t.Fatalf("%q came back as %q: %v", want, got.Name, err)
		}
	})
}

// TestEverySectionHasAJSONForm fills every field of every section: a kind without a JSON form
// panics.
func TestEverySectionHasAJSONForm(t *testing.T) {
	t.Parallel()
	for _, s := range wire.Sections() {
		m := s.New()
		fields := m.Descriptor().Fields()
		for i := range fields.Len() {
			fill(m, fields.Get(i))
		}
		var got map[string]any
		if err := json.Unmarshal(wire.AppendJSON(nil, m), &got); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if len(got) != len(s.Fields()) {
			t.Errorf("%s: %d fields shown, want all %d", s.Name, len(got), len(s.Fields()))
		}
	}
}

func fill(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	var v protoreflect.Value
	switch f.Kind() {
	case protoreflect.StringKind:
		v = protoreflect.ValueOfString("x")
	case protoreflect.BoolKind:
		v = protoreflect.ValueOfBool(true)
	case protoreflect.Uint32Kind:
		v = protoreflect.ValueOfUint32(7)
	case protoreflect.Uint64Kind:
		v = protoreflect.ValueOfUint64(7)
	default:
		v = m.NewField(f)
	}
	if f.IsList() {
		list := m.Mutable(f).List()
		list.Append(v)
		return
	}
	m.Set(f, v)
}

func TestDigestIsOfTheContent(t *testing.T) {
	t.Parallel()
	s, _ := wire.Lookup("software")
	item := &inventoryv1.Software{Name: "bash", Version: "5.2", InstallDate: &timestamppb.Timestamp{Seconds: 1}}
	digest := s.Digest(s.AppendFacts(nil, item.ProtoReflect()))

	// Another encoder may write the fields in another order, and a newer one unknown fields.
	odd := append([]byte("\x2a\x035.2\x12\x04bash"), 0xa2, 0x38, 1, 'x')
	m, err := s.Decode(odd)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Digest(s.AppendFacts(nil, m)); got != digest {
		t.Errorf("another encoding of %s has another digest", s.AppendFacts(nil, m))
	}
	encoded, err := s.Encode(item)
	if err != nil {
		t.Fatal(err)
	}
	if encoded.Hash == wire.HashOf(odd) {
		t.Error("two encodings have one hash")
	}
}
