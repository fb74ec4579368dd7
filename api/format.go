package api

import (
	"strconv"
	"strings"
)

// format is a form of a list, by its media type.
type format string

const (
	formatJSON   format = "application/json"
	formatCSV    format = "text/csv"
	formatNDJSON format = "application/x-ndjson"
)

// extension is how the name of a file of the format ends; it is also the format's name in the query.
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

// format is what the request asks for: by name, or else by the Accept header, or else JSON.
func (p *Paging) format() format {
	for _, f := range []format{formatJSON, formatCSV, formatNDJSON} {
		if p.Format == f.extension() {
			return f
		}
	}
	return accepted(p.Accept)
}

// accepted reads an Accept header (RFC 9110 §12.5.1). What names none of the formats gets JSON; of equals the first
// is taken.
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
