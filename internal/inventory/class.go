package inventory

// Class is a class of CIs. A class has the attributes of its parents too.
type Class struct {
	Name        string `json:"name"`
	Parent      string `json:"parent,omitempty"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	BuiltIn     bool   `json:"built_in"`
}

// Attribute is a typed property of the CIs of a class.
type Attribute struct {
	Class       string   `json:"class"`
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Choices     []string `json:"choices,omitempty"`
	Label       string   `json:"label"`
	Description string   `json:"description,omitempty"`
	BuiltIn     bool     `json:"built_in"`
}
