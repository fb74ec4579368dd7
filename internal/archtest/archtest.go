// Package archtest tests the architecture rules: which package may import which, which package
// alone may use a library, which files belong where, which words are retired, and how wide comments
// may be. The rules are data in rules_test.go and words_test.go, each exception with its reason. No
// program imports the package. Start reading at rules_test.go.
package archtest
