package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDeviceNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, facts, want string
		log                     string // part of the message; "": none
	}{
		{
			"known", "# comment\n8086  Intel Corporation\n\ta7a0  Raptor Lake-P\n\t\t1028 0b00  Board\n",
			`{"vendor_id":"8086","device_id":"a7a0"}`,
			`{"vendor_name":"Intel Corporation","device_name":"Raptor Lake-P"}`, "",
		},
		{
			"later sections of usb.ids", "046d  Logitech, Inc.\n\tc31c  Keyboard K120\nC 00  (Defined at Interface level)\n" +
				"AT 0100  USB Undefined\nHID 21  HID\nL 0001  Arabic\n\t01  Saudi Arabia\n",
			`{"vendor_id":"046d","device_id":"c31c"}`,
			`{"vendor_name":"Logitech, Inc.","device_name":"Keyboard K120"}`, "",
		},
		{"another format", "<html>\n", `{"vendor_id":"8086"}`, `{}`, ""},
		{"truncated line", "80\n", `{"vendor_id":"8086"}`, `{}`, "not in the format"},
		{"absent", "", `{"vendor_id":"8086"}`, `{}`, "not installed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pci.ids")
			if test.text != "" {
				if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			names := bus{"PCI", "device_id", []string{file}}.names(slog.New(slog.NewTextHandler(&log, nil)))
			if got := string(names.Names([]byte(test.facts), "device_id")); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if !strings.Contains(log.String(), test.log) || (test.log == "") != (log.Len() == 0) {
				t.Errorf("log %q, want %q", log.String(), test.log)
			}
		})
	}
}
