package volume

import (
	"slices"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// States of a volume in the metadata of BitLocker.
const (
	decrypted  = 1
	converting = 2
	encrypted  = 4
	paused     = 5
)

// clearKey is the protector of a key that lies beside the data, as while Windows replaces the
// firmware.
const clearKey = 0x0000

// algorithms are those of BitLocker (libyal, "BitLocker Drive Encryption (BDE) format").
var algorithms = map[uint16]string{
	0x8000: "aes-cbc-128-diffuser", 0x8001: "aes-cbc-256-diffuser",
	0x8002: "aes-cbc-128", 0x8003: "aes-cbc-256", 0x8004: "xts-aes-128", 0x8005: "xts-aes-256",
}

// protectors are those of BitLocker. The recovery password is one, never its value.
var protectors = map[uint16]string{
	clearKey: "clear_key", 0x0100: "tpm", 0x0200: "startup_key", 0x0500: "tpm_pin", 0x0800: "recovery_password",
	0x1000: "smart_card", 0x2000: "password",
}

// describeBitLocker adds what the volume says of its encryption. A locked volume has no file
// system.
func describeBitLocker(item *inventoryv1.Volume, v host.Volume) {
	b := v.BitLocker
	if b == nil {
		b = &host.BitLocker{}
	}
	item.EncryptionAlgorithm = algorithms[b.Algorithm]
	for _, p := range b.Protectors {
		if name := protectors[p]; name != "" {
			item.EncryptionProtectors = append(item.EncryptionProtectors, name)
		}
	}
	slices.Sort(item.EncryptionProtectors)
	switch {
	case v.FileSystem == "":
		item.EncryptionStatus = "locked"
	case b.State != converting && b.State != paused:
		item.EncryptionStatus = complete(b)
	case b.Next == decrypted:
		item.EncryptionStatus = "decrypting"
	default:
		item.EncryptionStatus = "encrypting"
	}
}

// complete returns the status of a volume that is not being converted, or "" for a state that is
// not known.
func complete(b *host.BitLocker) string {
	switch {
	case b.State == encrypted && slices.Contains(b.Protectors, clearKey):
		return "suspended"
	case b.State == encrypted:
		return "on"
	case b.State == decrypted:
		return "off"
	default:
		return ""
	}
}
