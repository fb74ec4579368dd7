package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestThePastStays: whatever happens after an instant, an answer about it is the same, byte for
// byte.
func TestThePastStays(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	machine := func(name, version string, free uint64) map[string]part {
		parts := sharedDisk(name)
		parts["software"] = software(debian("bash", version), debian("vim", "9"))
		parts["volume"] = part{inventory.StatusOK, []proto.Message{
			&inventoryv1.Volume{MountPoint: "/", FsType: "ext4", FreeBytes: proto.Uint64(free)},
		}}
		return parts
	}
	one, two := e.newMachine(t), e.newMachine(t)
	one.report(t, machine("one", "5.1", 7))
	two.report(t, machine("two", "5.2", 8))
	one.report(t, machine("one", "5.2", 9))
	screen, berlin := e.makeCI(t, "monitor", "screen", `{"owner": "Anna", "cost": 5}`), e.makeCI(t, "location", "Berlin", `{}`)
	related := e.relate(t, "located_in", one.device, berlin)
	send[inventory.CIDetails](t, e, "PUT", "/api/v1/cis/"+screen+"/locks/owner", `{"value": "Berta", "reason": "agreed"}`, 200)
	body, contentType := form(t, map[string]string{
		"mapping": `{"match": "id", "relationships": {"Office": {"type": "located_in", "class": "location"}}}`,
		"file":    "id,owner,Office\n" + one.device + ",Ada,Berlin\n",
	})
	header := http.Header{"Content-Type": {contentType}}
	if a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv", string(body), header); !strings.Contains(string(a.body), `"changed":1`) {
		t.Fatalf("a list that says the same: %s", a.body)
	}
	review := items[inventory.Review](t, e, "/api/v1/reviews")[0].ID
	then := e.now(t)

	addresses := []string{
		"/api/v1/devices", "/api/v1/devices?format=csv", "/api/v1/software", "/api/v1/software/1/devices", "/api/v1/enrollment-tokens",
		"/api/v1/cis", "/api/v1/cis?format=csv&retired=true", "/api/v1/relationships?past=true", "/api/v1/changes", "/api/v1/reviews?state=all",
		"/api/v1/devices/" + one.device + "/sections/volume?format=csv",
	}
	for _, ci := range []string{one.device, two.device, screen, berlin} {
		path := "/api/v1/cis/" + ci
		addresses = append(addresses, path, path+"/identity", path+"/relationships", path+"/graph?depth=3", path+"/impact", path+"/changes")
	}
	for _, device := range []string{one.device, two.device} {
		path := "/api/v1/devices/" + device
		addresses = append(addresses, path, path+"/sections", path+"/sections/software", path+"/changes")
	}
	answers := map[string]string{}
	for _, address := range addresses {
		answers[address] = string(e.get(t, with(address, "as_of", then.Format(time.RFC3339Nano))).body)
	}
	merge := func() {
		send[inventory.Identity](t, e, "POST", "/api/v1/devices/"+one.device+"/merge", `{"with": ["`+two.device+`"], "reason": "x"}`, 200)
	}
	undo := func() {
		decision := e.identity(t, "/api/v1/devices/"+one.device, "").Decisions[0].ID
		send[struct{}](t, e, "POST", "/api/v1/identity/decisions/"+strconv.FormatInt(decision, 10)+"/undo", `{"reason": "x"}`, 204)
	}
	for _, happens := range []struct {
		what string
		do   func()
	}{
		{"a report", func() { one.report(t, machine("uno", "5.3", 1)) }},
		{"a release", func() { send[struct{}](t, e, "DELETE", "/api/v1/cis/"+screen+"/locks/owner", "", 200) }},
		{"another value", func() {
			send[struct{}](t, e, "PATCH", "/api/v1/cis/"+screen, `{"name": "display", "attributes": {"cost": 6}}`, 200)
		}},
		{"an end", func() {
			send[struct{}](t, e, "DELETE", "/api/v1/relationships/"+strconv.FormatInt(related.ID, 10), "", 200)
		}},
		{"a review", func() {
			send[inventory.Review](t, e, "POST", "/api/v1/reviews/"+review+"/keep-separate", `{"reason": "x"}`, 200)
		}},
		{"a merge", merge},
		{"an undo", undo},
		{"a merge again", merge},
		{"a retirement", func() { send[struct{}](t, e, "DELETE", "/api/v1/cis/"+one.device+"?reason=x", "", 204) }},
		{"a restoration", func() { send[struct{}](t, e, "POST", "/api/v1/cis/"+one.device+"/restore", `{"reason": "x"}`, 200) }},
		{"the retirement of a place", func() { send[struct{}](t, e, "DELETE", "/api/v1/cis/"+berlin, "", 204) }},
		{"a list", func() {
			e.do(t, http.MethodPost, "/api/v1/imports?format=csv", "Name,Class\nBerlin,location\n", http.Header{"Content-Type": {"text/csv"}})
		}},
		{"a revocation", func() { send[struct{}](t, e, "POST", "/api/v1/devices/"+one.device+"/revoke", `{"reason": "x"}`, 200) }},
	} {
		happens.do()
		for _, address := range slices.Sorted(maps.Keys(answers)) {
			now := string(e.get(t, with(address, "as_of", then.Format(time.RFC3339Nano))).body)
			if now != answers[address] {
				t.Errorf("after %s, %s:\n%s\nand it was\n%s", happens.what, address, now, answers[address])
				answers[address] = now // report each change once
			}
		}
	}
}
