package cli

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// answers are what a subject does with every number of one ABI.
type answers struct {
	abi      *syscalls.Arch
	untested bool
	cached   int
	rows     []report.Row // the numbers that are syscalls
	others   []span       // all other numbers
}

// span is a range of numbers that get one answer.
type span struct {
	from, to uint32 // both included
	regions  []report.Region
}

// answers proves what the filters do with each number.
func (v *view) answers(abi *syscalls.Arch) (*answers, error) {
	stack, err := v.stack(abi)
	if err != nil {
		return nil, err
	}
	known, err := v.knows(abi)
	if err != nil {
		return nil, err
	}
	out := &answers{abi: abi, untested: !known}
	calls := abi.Syscalls() // ascending, and none of them negative
	next := 0
	for _, r := range simulate.Partition(simulate.OfPrograms(stack...), abi) {
		regions := regionDocs(r)
		from := r.From
		for ; next < len(calls) && uint32(calls[next].Nr) <= r.To; next++ {
			nr := uint32(calls[next].Nr)
			if nr > from {
				out.add(from, nr-1, regions)
			}
			out.rows = append(out.rows, report.Row{Name: calls[next].Name, Nr: calls[next].Nr, Regions: regions})
			if simulate.Stack(stack).ConstAllow(abi, calls[next].Nr) {
				out.cached++
			}
			from = nr + 1
		}
		if from <= r.To && (from != 0 || r.From == 0) {
			out.add(from, r.To, regions)
		}
	}
	return out, nil
}

// add joins a range of numbers to the last one if that is its neighbour with the same answer.
func (a *answers) add(from, to uint32, regions []report.Region) {
	if n := len(a.others) - 1; n >= 0 && a.others[n].to+1 == from && slices.Equal(a.others[n].regions, regions) {
		a.others[n].to = to
		return
	}
	a.others = append(a.others, span{from, to, regions})
}

// regionDocs describes all answers to a number.
func regionDocs(r simulate.NumberRange) []report.Region {
	var out []report.Region
	for _, region := range r.Regions {
		out = append(out, regionDoc(region))
	}
	if r.Unknown == nil {
		return out
	}
	text := "too complex to tell: " + r.Unknown.Reason
	if !r.Unknown.Any {
		var can []string
		for _, action := range r.Unknown.Actions {
			can = append(can, action.Effect().String())
		}
		text += "; " + strings.Join(can, " or ")
	}
	return append(out, report.Region{When: text, Action: "UNKNOWN"})
}

func regionDoc(r simulate.Region) report.Region {
	action := r.Action.Effect()
	return report.Region{When: whenText(r.When), Action: action.Name(), Data: action.Data(), Errno: errnoName(action)}
}

// whenText joins conditions as rules do.
func whenText(conds []simulate.Cond) string {
	var when []string
	for _, c := range conds {
		when = append(when, c.String())
	}
	return strings.Join(when, " && ")
}

// doc is the table of the documents.
func (a *answers) doc() report.ArchTable {
	doc := report.ArchTable{Arch: a.abi.Name, Untested: a.untested, Cached: a.cached, Syscalls: a.rows, Others: []report.Range{}}
	if doc.Syscalls == nil {
		doc.Syscalls = []report.Row{}
	}
	for _, s := range a.others {
		for _, r := range s.regions {
			doc.Others = append(doc.Others, report.Range{From: s.from, To: s.to, When: r.When, Action: r.Action, Data: r.Data, Errno: r.Errno})
		}
	}
	return doc
}

// compareArches lists the calls that two architectures have and answer differently.
func compareArches(doc *report.Table, a, b *answers) {
	doc.Compared = []report.Column{{Name: a.abi.Name}, {Name: b.abi.Name}}
	there := make(map[string]report.Row)
	for _, r := range b.rows {
		there[r.Name] = r
	}
	for _, r := range a.rows {
		s, ok := there[r.Name]
		if !ok || slices.EqualFunc(r.Regions, s.Regions, sameAnswer) {
			continue
		}
		doc.Differences = append(doc.Differences, report.Difference{Name: r.Name, Nr: r.Nr, Answers: []report.Answer{
			{Column: a.abi.Name, Nr: r.Nr, Regions: r.Regions}, {Column: b.abi.Name, Nr: s.Nr, Regions: s.Regions},
		}})
	}
}

// sameAnswer compares regions of two architectures, whose registers can differ in width: up to the
// largest number means the same on both.
func sameAnswer(a, b report.Region) bool {
	a.When, b.When = widths.Replace(a.When), widths.Replace(b.When)
	return a == b
}

var widths = strings.NewReplacer("..0xffffffffffffffff", "..", "..0xffffffff", "..")

// compareTargets lists the calls and numbers that not all targets answer alike.
func compareTargets(doc *report.Table, views []*view, arches []*syscalls.Arch, tables [][]*answers) error {
	for _, v := range views {
		target, err := v.targetDoc(arches[0])
		if err != nil {
			return err
		}
		name := v.o.target
		doc.Compared = append(doc.Compared, report.Column{Name: name, Target: target})
	}
	column := func(nr int32, regions [][]report.Region) (out []report.Answer) {
		for i, r := range regions {
			out = append(out, report.Answer{Column: doc.Compared[i].Name, Nr: nr, Regions: r})
		}
		return out
	}
	for i, abi := range arches {
		for row, first := range tables[0][i].rows {
			var all [][]report.Region
			for _, t := range tables {
				all = append(all, t[i].rows[row].Regions)
			}
			if !alike(all) {
				doc.Differences = append(doc.Differences, report.Difference{Arch: abi.Name, Name: first.Name, Nr: first.Nr, Answers: column(first.Nr, all)})
			}
		}
		var spans [][]span
		for _, t := range tables {
			spans = append(spans, t[i].others)
		}
		zip(spans, func(from, to uint32, all [][]report.Region) {
			if alike(all) {
				return
			}
			end := int32(to)
			doc.Differences = append(doc.Differences, report.Difference{Arch: abi.Name, Nr: int32(from), To: &end, Answers: column(int32(from), all)})
		})
	}
	return nil
}

func alike(all [][]report.Region) bool {
	for _, r := range all[1:] {
		if !slices.Equal(all[0], r) {
			return false
		}
	}
	return true
}

// zip walks over several lists of spans that cover the same numbers, cut at every border of one.
func zip(lists [][]span, visit func(from, to uint32, regions [][]report.Region)) {
	at := make([]int, len(lists))
	for at[0] < len(lists[0]) {
		from, to := uint32(0), uint32(1<<32-1)
		var regions [][]report.Region
		for i, l := range lists {
			s := l[at[i]]
			from, to = max(from, s.from), min(to, s.to)
			regions = append(regions, s.regions)
		}
		visit(from, to, regions)
		for i, l := range lists {
			if l[at[i]].to == to {
				at[i]++
			}
		}
	}
}
