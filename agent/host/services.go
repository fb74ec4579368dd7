package host

// ServiceStatus is a service of Windows and its state, in the terms of its service manager
// (Microsoft, SERVICE_STATUS_PROCESS).
type ServiceStatus struct {
	Name        string
	DisplayName string
	Type        uint32
	State       uint32
}

// Services returns the services of Windows, without drivers.
func (h *Host) Services() ([]ServiceStatus, error) {
	return ask(h, "services", "", services)
}
