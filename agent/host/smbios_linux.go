package host

func (h *Host) systemSMBIOS() (table, entryPoint []byte, err error) { return h.smbiosFiles() }
