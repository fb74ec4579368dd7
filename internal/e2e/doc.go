// Package e2e tests the real programs together: muster-agent, muster-collector and PostgreSQL
// communicate over TLS while a test kills, disconnects, restores and copies them. Afterwards the
// test compares the agent's inventory with the answers of the API. No program imports the package.
// Start reading at machine_test.go and agent_test.go.
package e2e
