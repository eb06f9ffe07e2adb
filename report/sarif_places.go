package report

import (
	"math"
	"path"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// sarifPlace is where a result is: in a file, or in something that has a name only.
func (r *results) sarifPlace(f Finding) *sarif.Location {
	out := sarif.NewLocation()
	file := r.file(f)
	if file == "" {
		out.LogicalLocations = []*sarif.LogicalLocation{logical(f.place(), "resource")}
		return out
	}
	out.PhysicalLocation = sarif.NewPhysicalLocation().WithArtifactLocation(artifact(file))
	out.PhysicalLocation.Region = f.Position.region()
	return out
}

// logical is a place that has a name and no file.
func logical(name, kind string) *sarif.LogicalLocation {
	return sarif.NewLogicalLocation().WithName(visible(name)).WithKind(kind)
}

// region is the word of a position; nil for a whole file.
func (p *Position) region() *sarif.Region {
	if p.Line <= 0 {
		return nil
	}
	out := sarif.NewRegion().WithStartLine(p.Line)
	start, end := p.columns()
	if start > 0 {
		out.StartColumn = &start
	}
	if end > 0 {
		out.EndLine, out.EndColumn = &p.Line, &end
		_, text, _ := p.Source.split()
		out.Snippet = sarif.NewArtifactContent().WithText(text)
	}
	return out
}

// artifact gives a path as a URI: below the directory that profcheck ran in, or absolute.
func artifact(file string) *sarif.ArtifactLocation {
	file = slashed(file)
	switch {
	case strings.HasPrefix(file, "/"):
		return sarif.NewSimpleArtifactLocation("file://" + escapePath(file))
	case len(file) > 2 && file[1] == ':' && file[2] == '/':
		return sarif.NewSimpleArtifactLocation("file:///" + file[:2] + escapePath(file[2:]))
	case file == ".." || strings.HasPrefix(file, "../"):
		return sarif.NewSimpleArtifactLocation(escapePath(file)) // not below the root, so nothing to resolve it against
	}
	return sarif.NewSimpleArtifactLocation(escapePath(file)).WithURIBaseID(sarifBase)
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
func sarifFlow(frames []Frame) *sarif.CodeFlow {
	if len(frames) > maxSteps {
		frames = append(frames[:maxSteps/2:maxSteps/2], frames[len(frames)-maxSteps/2:]...)
	}
	flow := sarif.NewThreadFlow()
	for _, f := range frames {
		step := sarif.NewThreadFlowLocation()
		step.Location = sarifFrame(f)
		flow.Locations = append(flow.Locations, step)
	}
	out := sarif.NewCodeFlow()
	out.ThreadFlows = []*sarif.ThreadFlow{flow}
	return out
}

// sarifFrame is one step of a path: the source line if it is known, else the address.
func sarifFrame(f Frame) *sarif.Location {
	text := f.Function
	if f.Module != "" {
		text += " of " + f.Module
	}
	if f.Edge != "" && f.Edge != "call" {
		text += " (" + f.Edge + ")"
	}
	out := sarif.NewLocation()
	out.LogicalLocations = []*sarif.LogicalLocation{logical(f.Function, "function")}
	out.Message = sarif.NewTextMessage(visible(text))
	switch {
	case f.File != "":
		a := artifact(f.File)
		if !path.IsAbs(slashed(f.File)) {
			a.URIBaseID = nil // relative to where it was built, which the file does not say
		}
		out.PhysicalLocation = sarif.NewPhysicalLocation().WithArtifactLocation(a)
		if f.Line > 0 {
			out.PhysicalLocation.Region = sarif.NewRegion().WithStartLine(f.Line)
		}
	case f.Address != 0 && f.Address <= math.MaxInt:
		at := sarif.NewAddress()
		at.AbsoluteAddress = int(f.Address)
		out.PhysicalLocation = sarif.NewPhysicalLocation()
		out.PhysicalLocation.Address = at
	}
	return out
}

func (r *results) sarifSuppression(s *Suppression) *sarif.Suppression {
	why := visible(s.Reason)
	if s.Expires != "" {
		why = strings.TrimSpace(why + " (until " + visible(s.Expires) + ")")
	}
	kind := "external"
	if s.By == "comment" {
		kind = "inSource"
	}
	out := sarif.NewSuppression().WithKind(kind).WithStatus("accepted")
	if why != "" {
		out.Justification = &why
	}
	if s.Position != nil && r.file(Finding{Position: s.Position}) != "" {
		out.Location = r.sarifPlace(Finding{Position: s.Position})
	}
	return out
}
