package report

import (
	"math"
	"path"
	"strings"
)

// sarifPlace is where a result is: in a file, or in something that has a name only.
func (r *results) sarifPlace(f Finding) sarifLocation {
	file := r.file(f)
	if file == "" {
		return sarifLocation{Logical: []sarifLogical{{Name: visible(f.place()), Kind: "resource"}}}
	}
	return sarifLocation{Physical: &sarifPhysical{Artifact: artifact(file), Region: f.Position.region()}}
}

// region is the word of a position; nil for a whole file.
func (p *Position) region() *sarifRegion {
	if p.Line <= 0 {
		return nil
	}
	out := &sarifRegion{StartLine: p.Line}
	out.StartColumn, out.EndColumn = p.columns()
	if out.EndColumn > 0 {
		out.EndLine = p.Line
		out.Snippet = p.Source.snippet()
	}
	return out
}

// snippet is the text of the region alone.
func (s *Source) snippet() *sarifMessage {
	_, word, _ := s.split()
	return &sarifMessage{Text: word}
}

// artifact gives a path as a URI: below the directory that profcheck ran in, or absolute.
func artifact(file string) *sarifArtifact {
	file = slashed(file)
	switch {
	case strings.HasPrefix(file, "/"):
		return &sarifArtifact{URI: "file://" + escapePath(file)}
	case len(file) > 2 && file[1] == ':' && file[2] == '/':
		return &sarifArtifact{URI: "file:///" + file[:2] + escapePath(file[2:])}
	case file == ".." || strings.HasPrefix(file, "../"):
		return &sarifArtifact{URI: escapePath(file)} // not below the root, so nothing to resolve it against
	}
	return &sarifArtifact{URI: escapePath(file), URIBaseID: sarifBase}
}

// escapePath writes each byte of a path that is not unreserved in URIs (RFC 3986, section 2.3) as %XX.
func escapePath(file string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(file) {
		switch c := file[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', strings.IndexByte("/-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString("%" + string(hexDigits[c>>4]) + string(hexDigits[c&15]))
		}
	}
	return b.String()
}

// sarifFlow is a path, of which the middle is left out if it is longer than readers take.
func sarifFlow(frames []Frame) sarifCodeFlow {
	if len(frames) > maxSteps {
		frames = append(frames[:maxSteps/2:maxSteps/2], frames[len(frames)-maxSteps/2:]...)
	}
	flow := sarifThreadFlow{}
	for _, f := range frames {
		flow.Locations = append(flow.Locations, sarifStep{sarifFrame(f)})
	}
	return sarifCodeFlow{[]sarifThreadFlow{flow}}
}

// sarifFrame is one step of a path: the source line if it is known, else the address.
func sarifFrame(f Frame) sarifLocation {
	text := f.Function
	if f.Module != "" {
		text += " of " + f.Module
	}
	if f.Edge != "" && f.Edge != "call" {
		text += " (" + f.Edge + ")"
	}
	out := sarifLocation{
		Logical: []sarifLogical{{Name: visible(f.Function), Kind: "function"}},
		Message: &sarifMessage{Text: visible(text)},
	}
	switch {
	case f.File != "":
		a := artifact(f.File)
		if !path.IsAbs(slashed(f.File)) {
			a.URIBaseID = "" // relative to where it was built, which the file does not say
		}
		out.Physical = &sarifPhysical{Artifact: a}
		if f.Line > 0 {
			out.Physical.Region = &sarifRegion{StartLine: f.Line}
		}
	case f.Address != 0 && f.Address <= math.MaxInt64:
		out.Physical = &sarifPhysical{Address: &sarifAddress{int64(f.Address)}}
	}
	return out
}

func (r *results) sarifSuppression(s *Suppression) sarifSuppression {
	out := sarifSuppression{Kind: "external", Status: "accepted", Justification: visible(s.Reason)}
	if s.By == "comment" {
		out.Kind = "inSource"
	}
	if s.Expires != "" {
		out.Justification = strings.TrimSpace(out.Justification + " (until " + visible(s.Expires) + ")")
	}
	if s.Position != nil && r.file(Finding{Position: s.Position}) != "" {
		place := r.sarifPlace(Finding{Position: s.Position})
		out.Location = &place
	}
	return out
}
