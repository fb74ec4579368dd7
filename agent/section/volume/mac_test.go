package volume

import "testing"

func TestDeviceOf(t *testing.T) {
	t.Parallel()
	volumes := map[string]apfsVolume{"disk3s1": {}, "disk3s5": {}}
	for device, want := range map[string]string{
		"/dev/disk3s1s1": "disk3s1", "/dev/disk3s5": "disk3s5", "/dev/disk3": "disk3", "": "",
	} {
		if got := deviceOf(device, volumes); got != want {
			t.Errorf("%s: %s, want %s", device, got, want)
		}
	}
}

func FuzzAPFS(f *testing.F) {
	f.Add([]byte(`{ Containers = ( { Volumes = ( { DeviceIdentifier = disk3s1; Name = a; } ); } ); }`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		volumes, _ := parseAPFS(data)
		deviceOf(string(data), volumes)
	})
}
