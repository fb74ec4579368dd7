// Package e2e holds the tests that put the real programs together: muster-agent, muster-collector and PostgreSQL talk
// to each other over TLS while a test kills, cuts off, restores and copies them, and afterwards compare what
// the agent has with what the API says. It has no code for programs, and no program imports it.
package e2e
