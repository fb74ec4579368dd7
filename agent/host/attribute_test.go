package host_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

func TestAttribute(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{
		"/sys/value":  "  Samsung SSD 870 \n",
		"/sys/nul":    "12345\x00\x00\n",
		"/sys/long":   strings.Repeat("x", 1<<20),
		"/sys/dir/":   "",
		"/sys/link":   "-> value",
		"/sys/broken": "-> nowhere",
	})
	for name, want := range map[string]string{
		"/sys/value": "Samsung SSD 870", "/sys/nul": "12345", "/sys/long": "", "/sys/dir": "", "/sys/link": "Samsung SSD 870",
		"/sys/broken": "", "/sys/none": "",
	} {
		if got := h.Attribute(name); got != want {
			t.Errorf("Attribute(%s) = %q, want %q", name, got, want)
		}
	}
}

func TestReadIntoReportsALongerFile(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{"/file": "0123456789"})
	for size, want := range map[int]string{5: "01234", 10: "0123456789", 11: "0123456789"} {
		got, err := h.ReadInto("/file", make([]byte, size))
		if string(got) != want {
			t.Errorf("%d bytes: got %q, want %q", size, got, want)
		}
		if longer := size <= 10; (err != nil) != longer {
			t.Errorf("%d bytes: error %v, want one: %v", size, err, longer)
		}
	}
	if _, err := h.ReadInto("/none", make([]byte, 8)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func TestTreeHasNoLiveSources(t *testing.T) {
	t.Parallel()
	h := hosttest.Tree(t, map[string]string{"/etc/": ""})
	_, kernel := h.Kernel()
	_, platform := h.Platform()
	_, birth := h.BirthTime("/")
	_, _, size := h.FileSystemSize("/")
	_, interfaces := h.Interfaces()
	_, addresses := h.InterfaceAddresses()
	_, mac := h.PermanentMAC("eth0")
	_, kinds := h.LinkKinds()
	_, systemd := h.SystemdServices(t.Context())
	for name, err := range map[string]error{
		"kernel": kernel, "platform": platform, "birth": birth, "size": size, "interfaces": interfaces,
		"addresses": addresses, "mac": mac, "kinds": kinds, "systemd": systemd,
	} {
		if !errors.Is(err, host.ErrUnsupported) {
			t.Errorf("%s: error %v, want ErrUnsupported", name, err)
		}
	}
}
