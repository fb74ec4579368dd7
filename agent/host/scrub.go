package host

import (
	"bytes"
	"regexp"
	"sync"
)

// secret is a pattern of secrets. Its first group is what is replaced.
type secret struct {
	pattern *regexp.Regexp
	// hint is in every text that the pattern matches; a search for it is much faster. Without a
	// hint the pattern is not applied to large binary files.
	hint string
}

// secretNames are the words by which settings, options and variables name secrets.
const secretNames = `(?:[\w.-]*(?:passw(?:or)?d|passphrase|passwort|secret|token|psk|wep[_-]?key\d?|` +
	`api[_-]?key|access[_-]?key|private[_-]?key|preshared[_-]?key|credential)s?|pwd)`

// secrets returns the patterns in the order of their application. They are compiled at their first
// use: only a recording needs them, and compiled they take 150 kB.
var secrets = sync.OnceValue(func() []secret {
	return []secret{
		// private keys (RFC 7468)
		{regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----([^-]*)`), "PRIVATE KEY-----"},
		// password hashes (crypt(5))
		{regexp.MustCompile(`\$(?:[1-9]|2[abxy]|g?y|md5|sha1|apr1|argon2\w*|scrypt|pbkdf2[\w-]*)\$` +
			`([\w./$=,+-]{8,})`), "$"},
		{regexp.MustCompile(`\{(?:S?MD5|S?SHA\d*|CRYPT|PBKDF2[\w-]*)\}([\w./$=,+-]{8,})`), "}"},
		// JSON web tokens, and tokens that their prefix identifies
		{regexp.MustCompile(`\b(eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*)`), "eyJ"},
		{regexp.MustCompile(`\b((?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|AKIA|ASIA|sk-|muster-)` +
			`[A-Za-z0-9_-]{12,})`), ""},
		{regexp.MustCompile(`(?i)\b(?:bearer|basic|negotiate)[ +]([\w+/=.~-]{12,})`), ""},
		// user and password in a URL
		{regexp.MustCompile(`://[^/\s:@"'<>\x00]*:([^@/\s"'<>\x00]+)@`), "://"},
		// options on a command line: NUL or blank separates them, in JSON the escaped NUL
		{regexp.MustCompile(`(?i)(?:^|[\s\x00"'=]|\\u0000)--?` + secretNames +
			`(?:\x00|\\u0000| +|=)"?([^\s"'<>\x00\\&]+)`), ""},
		// settings: name=value, name: value, "name": "value", name='value'
		{regexp.MustCompile(`(?i)\b` + secretNames + `\\?["']?[ \t]*[=:][ \t]*\\?["']?([^\s"'<>&,;\x00\\]+)`), ""},
		// elements: <password>value</password>, <key>password</key><string>value</string>
		{regexp.MustCompile(`(?i)<` + secretNames + `(?:\s[^<>]*)?>([^<>]+)<`), "<"},
		{regexp.MustCompile(`(?i)<key>` + secretNames + `</key>\s*<(?:string|data)>([^<>]+)<`), "<key>"},
	}
})

// largeBinary is the size, in bytes, from which a binary file is searched only for secrets with a
// hint. Package databases are larger, and what they contain is public.
const largeBinary = 4 << 20

// noPassword is the tag of a rule of sudoers(5); what follows are commands.
var noPassword = []byte("NOPASSWD")

// scrub replaces the secrets in data by as many letters x, so that formats with offsets stay valid.
// It changes data.
func scrub(data []byte) []byte {
	binary := len(data) > largeBinary && bytes.IndexByte(data[:largeBinary], 0) >= 0
	for _, s := range secrets() {
		if s.hint == "" && binary || s.hint != "" && !bytes.Contains(data, []byte(s.hint)) {
			continue
		}
		for _, at := range s.pattern.FindAllSubmatchIndex(data, -1) {
			if bytes.HasPrefix(data[at[0]:], noPassword) {
				continue
			}
			for i := at[2]; i < at[3]; i++ {
				if data[i] != '\n' && data[i] != '\r' {
					data[i] = 'x'
				}
			}
		}
	}
	return data
}
