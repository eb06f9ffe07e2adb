package report

import (
	"encoding/json"
	"io"
)

// jsonlFormat is one line for each result, for programs that read line by line.
var jsonlFormat = Format{
	Name:  "jsonl",
	Title: "one finding a line, as JSON with its fingerprint",
	Kinds: resultKinds,
	Write: func(w io.Writer, d Document, _ Options) error {
		r, ok := resultsOf(d)
		if !ok {
			return noForm("jsonl", d)
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, s := range r.subjects {
			prints := Fingerprints(s.findings)
			for i, f := range s.findings {
				if err := enc.Encode(line{Subject: s.name, Finding: f, Fingerprint: prints[i]}); err != nil {
					return err
				}
			}
		}
		return nil
	},
}

// line is a finding of its own.
type line struct {
	Subject string `json:"subject"` // what was judged
	Finding
	Fingerprint string `json:"fingerprint"`
}
