// Package table answers one question: what does a line of syscalls/table/syscalls.txt say?
//
// It reads and writes the committed table from which package syscalls is generated. The layout is
// described at the head of the table itself. A column is a set of numbers that one or more ABIs
// share: the two byte orders of a machine have one column.
package table

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Table is the whole file.
type Table struct {
	Head    []string // comment lines before the first directive, with their '#'
	Kernel  string   // release that the numbers belong to, such as "7.1"
	Columns []string // in the order in which numbers are written
	Entries []*Entry // ascending by name
}

// Entry is what the table knows of one syscall.
type Entry struct {
	Name    string
	Since   string           // first kernel, such as "2.6.16"; "" when no source gives it
	Origin  string           // source of Since, a key of the table's head; "" together with Since
	Removed string           // first kernel that has no code for it any more; "" when it has, or no source gives it
	Remover string           // source of Removed; "" together with it
	Numbers map[string]int32 // by column, without the ABI's base; absent: the ABI lacks the call
	Args    []Prototype      // by scope, the default one (no Columns) first
}

// Prototype is the parameter list that holds in some columns.
type Prototype struct {
	Columns []string // nil: every column that no other prototype of the entry names
	Unknown bool     // true: nothing is known of the parameters in these columns
	Params  []Param
}

// Param is one parameter as written in the table.
type Param struct {
	Name  string
	Kind  string
	Width int // bits, or Register
}

// Register as a Width stands for the width of the ABI's argument registers.
const Register = 0

// kinds lists the kinds with the width that a parameter has when the table gives none.
var kinds = map[string]int{
	"int": 32, "unsigned": 32, "fd": 32, "flags": 32,
	"long": Register, "pointer": Register, "size": Register, "unknown": Register,
}

// releaseForm is a kernel release: two numbers, or more for the old series.
var releaseForm = regexp.MustCompile(`^[1-9][0-9]?\.[0-9]{1,2}(\.[0-9]+)*$`)

var widths = map[string]int{"16": 16, "32": 32, "64": 64, "reg": Register}

// Parse reads a table. Errors name the line.
func Parse(text string) (*Table, error) {
	t := &Table{}
	var current *Entry
	for i, line := range strings.Split(text, "\n") {
		if err := t.line(&current, line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return t, t.check()
}

func (t *Table) line(current **Entry, line string) error {
	if strings.HasPrefix(line, "#") {
		if t.Kernel != "" {
			return fmt.Errorf("comment after the head")
		}
		t.Head = append(t.Head, line)
		return nil
	}
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return nil
	}
	word, rest := fields[0], fields[1:]
	switch {
	case word == "kernel" && len(rest) == 1:
		if !releaseForm.MatchString(rest[0]) {
			return fmt.Errorf("bad release %q", rest[0])
		}
		t.Kernel = rest[0]
	case word == "columns":
		t.Columns = rest
	case word == "syscall" && len(rest) == 1:
		*current = &Entry{Name: rest[0], Numbers: map[string]int32{}}
		t.Entries = append(t.Entries, *current)
	case *current == nil:
		return fmt.Errorf("%q before the first syscall", word)
	case word == "since" && len(rest) == 2:
		if !releaseForm.MatchString(rest[0]) {
			return fmt.Errorf("bad release %q", rest[0])
		}
		(*current).Since, (*current).Origin = rest[0], rest[1]
	case word == "removed" && len(rest) == 2:
		if !releaseForm.MatchString(rest[0]) {
			return fmt.Errorf("bad release %q", rest[0])
		}
		(*current).Removed, (*current).Remover = rest[0], rest[1]
	case word == "nr":
		return t.numbers(*current, rest)
	case word == "args" || strings.HasPrefix(word, "args@"):
		return t.args(*current, word, rest)
	default:
		return fmt.Errorf("unknown directive %q", line)
	}
	return nil
}

func (t *Table) numbers(e *Entry, fields []string) error {
	for _, f := range fields {
		column, number, _ := strings.Cut(f, "=")
		nr, err := strconv.ParseInt(number, 10, 32)
		if err != nil || nr < 0 {
			return fmt.Errorf("bad number %q", f)
		}
		if !slices.Contains(t.Columns, column) {
			return fmt.Errorf("unknown column %q", column)
		}
		if _, twice := e.Numbers[column]; twice {
			return fmt.Errorf("column %q twice", column)
		}
		e.Numbers[column] = int32(nr)
	}
	return nil
}

func (t *Table) args(e *Entry, word string, fields []string) error {
	var p Prototype
	if _, scope, ok := strings.Cut(word, "@"); ok {
		p.Columns = strings.Split(scope, ",")
		for _, c := range p.Columns {
			if !slices.Contains(t.Columns, c) {
				return fmt.Errorf("unknown column %q", c)
			}
		}
	} else if len(e.Args) > 0 {
		return fmt.Errorf("the default prototype must be the first and only one")
	}
	if len(fields) == 1 && fields[0] == "?" {
		p.Unknown = true
	} else if len(fields) != 1 || fields[0] != "void" {
		for _, f := range fields {
			param, err := parseParam(f)
			if err != nil {
				return err
			}
			p.Params = append(p.Params, param)
		}
		if len(p.Params) == 0 {
			return fmt.Errorf("no parameter: write void or ?")
		}
	}
	e.Args = append(e.Args, p)
	return nil
}

// parseParam reads NAME:KIND or NAME:KIND/WIDTH.
func parseParam(text string) (Param, error) {
	name, kind, ok := strings.Cut(text, ":")
	kind, width, wide := strings.Cut(kind, "/")
	bits, known := kinds[kind]
	if !ok || name == "" || !known {
		return Param{}, fmt.Errorf("bad parameter %q", text)
	}
	if wide {
		if bits, known = widths[width]; !known {
			return Param{}, fmt.Errorf("bad width in %q", text)
		}
	}
	return Param{Name: name, Kind: kind, Width: bits}, nil
}

// check holds for the table as a whole: order, no number twice in a column, no column twice among
// the prototypes of an entry.
func (t *Table) check() error {
	if t.Kernel == "" || len(t.Columns) == 0 {
		return fmt.Errorf("kernel or columns missing")
	}
	owner := map[string]string{}
	for i, e := range t.Entries {
		if i > 0 && t.Entries[i-1].Name >= e.Name {
			return fmt.Errorf("%s: not in ascending order", e.Name)
		}
		for c, nr := range e.Numbers {
			key := fmt.Sprint(c, "=", nr)
			if other, taken := owner[key]; taken {
				return fmt.Errorf("%s: number %s is %s", e.Name, key, other)
			}
			owner[key] = e.Name
		}
		seen := map[string]bool{}
		for _, p := range e.Args {
			for _, c := range p.Columns {
				if seen[c] {
					return fmt.Errorf("%s: two prototypes for %s", e.Name, c)
				}
				seen[c] = true
			}
		}
	}
	return nil
}

// Prototype returns what the entry says about a column; Unknown when it says nothing.
func (e *Entry) Prototype(column string) Prototype {
	found := Prototype{Unknown: true}
	for _, p := range e.Args {
		if p.Columns == nil {
			found = p
		} else if slices.Contains(p.Columns, column) {
			return p
		}
	}
	return found
}

// Format writes the table as Parse reads it. Parse(Format(t)) is t.
func (t *Table) Format() string {
	var b strings.Builder
	for _, line := range t.Head {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "kernel %s\ncolumns %s\n", t.Kernel, strings.Join(t.Columns, " "))
	for _, e := range t.Entries {
		fmt.Fprintf(&b, "\nsyscall %s\n", e.Name)
		if e.Since != "" {
			fmt.Fprintf(&b, "since %s %s\n", e.Since, e.Origin)
		}
		if e.Removed != "" {
			fmt.Fprintf(&b, "removed %s %s\n", e.Removed, e.Remover)
		}
		b.WriteString("nr")
		for _, c := range t.Columns {
			if nr, ok := e.Numbers[c]; ok {
				fmt.Fprintf(&b, " %s=%d", c, nr)
			}
		}
		b.WriteString("\n")
		for _, p := range e.Args {
			p.format(&b)
		}
	}
	return b.String()
}

func (p Prototype) format(b *strings.Builder) {
	b.WriteString("args")
	if p.Columns != nil {
		b.WriteString("@" + strings.Join(p.Columns, ","))
	}
	switch {
	case p.Unknown:
		b.WriteString(" ?")
	case len(p.Params) == 0:
		b.WriteString(" void")
	}
	for _, a := range p.Params {
		fmt.Fprintf(b, " %s:%s", a.Name, a.Kind)
		if a.Width != kinds[a.Kind] {
			for word, bits := range widths {
				if bits == a.Width {
					b.WriteString("/" + word)
				}
			}
		}
	}
	b.WriteString("\n")
}
