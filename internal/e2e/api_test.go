package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// call calls the API. into may be nil.
func (c *collector) call(t testing.TB, method, path string, body, into any) (status int) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	text, status := c.do(t, req)
	if into != nil && status < http.StatusBadRequest {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s %s: %v\n%s", method, path, err, text)
		}
	}
	return status
}

func (c *collector) do(t testing.TB, req *http.Request) (text []byte, status int) {
	t.Helper()
	req.Header.Set("Authorization", "Bearer "+c.token)
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if text, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return text, response.StatusCode
}

// get requests one resource, which must exist.
func get[T any](t testing.TB, c *collector, path string) T {
	t.Helper()
	var got T
	if status := c.call(t, http.MethodGet, path, nil, &got); status != http.StatusOK {
		t.Fatalf("%s: got status %d", path, status)
	}
	return got
}

// list requests a whole list, page by page.
func list[T any](t testing.TB, c *collector, path string, query url.Values) []T {
	t.Helper()
	params := url.Values{"page_size": {"400"}}
	maps.Copy(params, query)
	var all []T
	for {
		page := get[struct {
			Items []T    `json:"items"`
			Next  string `json:"next_page_token"`
		}](t, c, path+"?"+params.Encode())
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		params.Set("page_token", page.Next)
	}
}

// download requests a list as a file.
func (c *collector) download(t testing.TB, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, status := c.do(t, req)
	if status != http.StatusOK {
		t.Fatalf("%s: got status %d: %s", path, status, text)
	}
	return text
}

// device is a device in the API.
type device struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Serial string        `json:"serial_number"`
	Agents []deviceAgent `json:"agents"`
}

type deviceAgent struct {
	AgentID   string     `json:"agent_id"`
	RevokedAt *time.Time `json:"revoked_at"`
}

// devices returns all devices.
func (c *collector) devices(t testing.TB) []device {
	t.Helper()
	var all []device
	for _, listed := range list[device](t, c, "/api/v1/devices", nil) {
		all = append(all, get[device](t, c, "/api/v1/devices/"+listed.ID))
	}
	return all
}

// deviceOf returns the ID of the device that an agent reports on.
func (c *collector) deviceOf(t testing.TB, agentID string) string {
	t.Helper()
	for _, d := range c.devices(t) {
		for _, a := range d.Agents {
			if a.AgentID == agentID {
				return d.ID
			}
		}
	}
	t.Fatalf("no device reports through agent %s", agentID)
	return ""
}

// asOf returns the query for an instant; the zero time means now.
func asOf(at time.Time) url.Values {
	if at.IsZero() {
		return nil
	}
	return url.Values{"as_of": {at.UTC().Format(time.RFC3339Nano)}}
}
