package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// lineWidth is where lists of names go on with the next line, in characters.
const lineWidth = 100

// names prints a list of words behind a heading, in lines of lineWidth.
func (p *printer) names(indent string, mark style, heading string, list []string) {
	p.out.WriteString(indent + p.paint(mark, clean(heading)) + "\n")
	deeper := indent + "    "
	at := 0
	for i, word := range list {
		word = clean(word)
		if i < len(list)-1 {
			word += ","
		}
		switch {
		case at == 0:
			p.out.WriteString(deeper)
			at = len(deeper)
		case at+1+len(word) > lineWidth:
			p.out.WriteString("\n" + deeper)
			at = len(deeper)
		default:
			p.out.WriteByte(' ')
			at++
		}
		p.out.WriteString(word)
		at += len(word)
	}
	if len(list) > 0 {
		p.out.WriteByte('\n')
	}
}

func (p *printer) table(t *Table) {
	switch {
	case len(t.Compared) > 0:
		p.differences(t)
	default:
		p.archTables(t)
		p.sizes(t.Filters)
	}
	if t.Target != nil && (len(t.Compared) == 0 || t.Compared[0].Target == nil) {
		p.blank()
		p.target(*t.Target)
	}
}

// archTables prints each architecture, those that get one answer for every call together.
func (p *printer) archTables(t *Table) {
	same := make(map[string][]string)
	var order []string
	for _, a := range t.Arches {
		one := a.uniform()
		if one == "" || p.verbose {
			p.blank()
			p.archTable(a, under(t.Profile, nil))
			continue
		}
		if _, ok := same[one]; !ok {
			order = append(order, one)
		}
		same[one] = append(same[one], a.Arch)
	}
	for _, one := range order {
		p.blank()
		p.lead(markOf(one), one, fmt.Sprintf(" for every call%s: %s", under(t.Profile, nil), strings.Join(same[one], ", ")))
	}
}

// uniform returns the answer that all calls of the architecture get, "" if there are several.
func (a *ArchTable) uniform() string {
	one := ""
	add := func(when, text string) bool {
		if when != "" || one != "" && one != text {
			return false
		}
		one = text
		return true
	}
	for _, s := range a.Syscalls {
		for _, r := range s.Regions {
			if !add(r.When, r.answer()) {
				return ""
			}
		}
	}
	for _, o := range a.Others {
		if !add(o.When, answer(o.Action, o.Data, o.Errno)) {
			return ""
		}
	}
	return one
}

func (r Region) answer() string { return answer(r.Action, r.Data, r.Errno) }

// archTable prints one architecture: by action, or with --verbose call by call.
func (p *printer) archTable(a ArchTable, under string) {
	text := under + ": " + count(len(a.Syscalls), "syscall")
	if a.Untested {
		text += "; never tested"
	}
	p.lead(bold, a.Arch, text)
	if p.verbose {
		p.callByCall(a)
		return
	}
	byAction := make(map[string][]string)
	var actions []string
	var conditional [][]string
	for _, s := range a.Syscalls {
		if len(s.Regions) == 1 && s.Regions[0].When == "" {
			text := s.Regions[0].answer()
			if byAction[text] == nil {
				actions = append(actions, text)
			}
			byAction[text] = append(byAction[text], s.Name)
			continue
		}
		name := s.Name
		for _, r := range s.Regions {
			conditional = append(conditional, []string{name, r.answer(), r.When})
			name = ""
		}
	}
	slices.SortStableFunc(actions, func(a, b string) int { return cmp.Compare(permission(a), permission(b)) })
	for _, action := range actions {
		list := byAction[action]
		slices.Sort(list)
		p.names("  ", markOf(action), fmt.Sprintf("%s: %d", action, len(list)), list)
	}
	if len(conditional) > 0 {
		p.line("  by arguments:")
		p.columns("    ", nil, conditional)
	}
	p.others(a.Others)
	if a.Cached > 0 {
		p.line("  the kernel answers %s without running the filter", count(a.Cached, "syscall"))
	}
}

// permission orders answers, the most permissive first.
func permission(text string) int {
	name, _, _ := strings.Cut(text, "(")
	name, _, _ = strings.Cut(name, " ")
	if i := slices.Index(actions, name); i >= 0 {
		return i
	}
	return len(actions)
}

// others prints the numbers without a syscall, a line for each answer.
func (p *printer) others(list []Range) {
	var rows [][]string
	for _, o := range list {
		text := answer(o.Action, o.Data, o.Errno)
		i := slices.IndexFunc(rows, func(r []string) bool { return r[0] == text && r[2] == o.When })
		if i < 0 {
			rows = append(rows, []string{text, o.numbers(), o.When})
			continue
		}
		rows[i][1] += ", " + o.numbers()
	}
	if len(rows) > 0 {
		p.line("  numbers without a syscall:")
		p.columns("    ", nil, rows)
	}
}

func (o Range) numbers() string {
	if o.From == o.To {
		return fmt.Sprint(o.From)
	}
	return fmt.Sprintf("%d-%d", o.From, o.To)
}

func (p *printer) callByCall(a ArchTable) {
	var rows [][]string
	for _, s := range a.Syscalls {
		nr, name := fmt.Sprint(s.Nr), s.Name
		for _, r := range s.Regions {
			rows = append(rows, []string{nr, name, r.answer(), r.When})
			nr, name = "", ""
		}
	}
	for _, o := range a.Others {
		rows = append(rows, []string{o.numbers(), "(no syscall)", answer(o.Action, o.Data, o.Errno), o.When})
	}
	p.columns("  ", nil, rows)
}

// sizes prints a line for each filter.
func (p *printer) sizes(list []Size) {
	if len(list) == 0 {
		return
	}
	p.blank()
	for _, s := range list {
		p.size(s)
	}
}

func (p *printer) size(s Size) {
	name := "filter"
	if s.Filter != "" {
		name += " " + s.Filter
	}
	of := s.Order + "-endian"
	if len(s.Arches) > 0 {
		of += ", " + strings.Join(s.Arches, " ")
	}
	p.lead(bold, name, fmt.Sprintf(" (%s): %s, %d in the kernel; a call runs at most %d",
		of, count(s.Instructions, "instruction"), s.KernelLength, s.LongestPath))
}

// differences prints the calls that are not answered alike, those with equal answers together.
func (p *printer) differences(t *Table) {
	var columns []string
	for _, c := range t.Compared {
		columns = append(columns, c.Name)
	}
	heading := fmt.Sprintf("%s%s: ", words(columns), under(t.Profile, nil))
	if len(t.Differences) == 0 {
		p.lead(green, "no difference", " between "+strings.TrimSuffix(heading, ": "))
		return
	}
	calls := 0
	for _, d := range t.Differences {
		if d.Name != "" {
			calls++
		}
	}
	verb := " differ"
	if calls == 1 {
		verb += "s"
	}
	p.lead(bold, heading, count(calls, "syscall")+verb)
	type group struct {
		arch, key string
		answers   []Answer
		names     []string
	}
	var groups []*group
	byKey := make(map[string]*group)
	for _, d := range t.Differences {
		var parts []string
		for _, a := range d.Answers {
			parts = append(parts, a.Column+": "+regionsText(a.Regions))
		}
		key := d.Arch + "\x00" + strings.Join(parts, "\x00")
		g := byKey[key]
		if g == nil {
			g = &group{arch: d.Arch, key: strings.Join(parts, "; "), answers: d.Answers}
			byKey[key] = g
			groups = append(groups, g)
		}
		g.names = append(g.names, d.what())
	}
	arch := ""
	for _, g := range groups {
		if g.arch != arch { // they come architecture by architecture
			arch = g.arch
			p.blank()
			p.lead(bold, arch, "")
		}
		p.names("  ", plain, g.key, g.names)
	}
}

// what names a call or a range of numbers.
func (d Difference) what() string {
	if d.Name != "" {
		return d.Name
	}
	return numbers(d.Nr, d.To)
}

// numbers renders a number without a name, or a range of them, as unsigned.
func numbers(nr int32, to *int32) string {
	if to == nil || *to == nr {
		return fmt.Sprintf("number %d", uint32(nr))
	}
	return fmt.Sprintf("numbers %d-%d", uint32(nr), uint32(*to))
}

// regionsText renders all answers to a call in one line.
func regionsText(list []Region) string {
	var parts []string
	for _, r := range list {
		text := r.answer()
		if r.When != "" {
			text += " if " + r.When
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}
