package catalog

import "encoding/json"

// DeviceNames are the names of the makers and devices on one kind of bus, by their ids: four
// hexadecimal digits in lower case. The zero value knows none.
type DeviceNames struct {
	Vendors map[string]string
	Devices map[string]string // by the ids of maker and device with a colon between
}

// DeviceNameFields are the fields that Names adds to an item, in their order.
var DeviceNameFields = []string{"vendor_name", "device_name"}

// Names returns the names of the ids in the facts of an item as a JSON object. Ids without a name
// have no field. deviceField is the field with the id of the device.
func (n DeviceNames) Names(facts []byte, deviceField string) []byte {
	var ids map[string]json.RawMessage
	if json.Unmarshal(facts, &ids) != nil {
		return nil
	}
	vendor, device := text(ids["vendor_id"]), text(ids[deviceField])
	names := struct {
		Vendor string `json:"vendor_name,omitempty"`
		Device string `json:"device_name,omitempty"`
	}{n.Vendors[vendor], n.Devices[vendor+":"+device]}
	encoded, err := json.Marshal(names)
	if err != nil {
		return nil
	}
	return encoded
}

// text returns a JSON string, or "" for anything else.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
