package report

import (
	"encoding/json"
	"io"
)

// jsonFormat is the documents' own encoding, indented, with a final newline.
var jsonFormat = Format{
	Name:  "json",
	Title: "the document itself, see the schemas in report/schema",
	Write: func(w io.Writer, d Document, _ Options) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	},
}
