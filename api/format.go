package api

import (
	"strconv"
	"strings"
)

// format is the media type of a list.
type format string

const (
	formatJSON   format = "application/json"
	formatCSV    format = "text/csv"
	formatNDJSON format = "application/x-ndjson"
)

// extension returns the file name extension, which is also the value of the parameter format.
func (f format) extension() string {
	switch f {
	case formatCSV:
		return "csv"
	case formatNDJSON:
		return "ndjson"
	default:
		return "json"
	}
}

// format returns the format of the response: the parameter format wins over the Accept header; the
// default is JSON.
func (p *Paging) format() format {
	for _, f := range []format{formatJSON, formatCSV, formatNDJSON} {
		if p.Format == f.extension() {
			return f
		}
	}
	return accepted(p.Accept)
}

// accepted parses an Accept header (RFC 9110 §12.5.1). The default is JSON. Of formats with equal
// quality the first one wins.
func accepted(header string) format {
	best, weight := formatJSON, 0.0
	for option := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(option, ";")
		f := format(strings.ToLower(strings.TrimSpace(name)))
		if f != formatJSON && f != formatCSV && f != formatNDJSON {
			continue
		}
		if q := quality(parameters); q > weight {
			best, weight = f, q
		}
	}
	return best
}

func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}
