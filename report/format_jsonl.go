package report

import (
	"encoding/json"
	"io"
)

// jsonlFormat is one line for each result, for programs that read line by line.
var jsonlFormat = Format{
	Name:  "jsonl",
	Title: "one finding or failure a line, as JSON",
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
		for _, f := range r.errors {
			if err := enc.Encode(failureLine{Subject: f.File, Error: f}); err != nil {
				return err
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

// failureLine is what could not be judged, after the findings.
type failureLine struct {
	Subject string  `json:"subject"`
	Error   Failure `json:"error"`
}
