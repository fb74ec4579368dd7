package inventory

// Simulation says what another set of rules would change.
type Simulation struct {
	RulesVersion string            `json:"rules_version"`
	Records      int               `json:"records"`
	Merges       []SimulatedChange `json:"merges"`
	Splits       []SimulatedChange `json:"splits"`
	Truncated    bool              `json:"truncated"`
}

// SimulatedChange is a merge of several CIs into one, or the split of one into several.
type SimulatedChange struct {
	CIs     []CIRef `json:"cis"`
	Records []int64 `json:"records"`
	Text    string  `json:"text"`
}
