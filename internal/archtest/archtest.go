// Package archtest holds the rules of the house as tests: who may import what, who alone may use which library,
// where things stand. The rules are data in rules_test.go, each exception with its reason. The package has no
// code for programs.
package archtest
