package profiletest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// A Vector is one row of a vector table: a call and what a filter must do with it.
type Vector struct {
	Line    int            // of the row, from 1
	Arch    *syscalls.Arch // the ABI of the call; its byte order is that of the filter
	Data    filter.Data    // the call; the instruction pointer is 0
	Syscall string         // the name in the row, "" if it has none
	Expect  filter.Action  // as written; see Check
}

// A VectorError is what ReadVectors returns for a table that it cannot read.
type VectorError struct {
	File         string
	Line, Column int // from 1, the column in bytes; 0, 0 if it is the whole table
	Reason       string
}

// Error returns "rows.tsv:3:14: ...".
func (e *VectorError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
}

// vectorFields are the columns of a table, in their order.
var vectorFields = []string{"arch", "audit_arch", "syscall", "nr", "a0", "a1", "a2", "a3", "a4", "a5", "expect"}

const maxVectorLine = 1 << 12 // bytes; a row has fewer than 300

// ReadVectors reads a vector table. A row is a line with 11 fields, separated by single tabs: arch,
// audit_arch, syscall (a name, or - for none), nr as in seccomp_data, a0 to a5, and the expected
// action: ALLOW, ERRNO(1), TRACE(7), KILL, which is KILL_THREAD, and so on. Numbers are decimal, hex
// or negative. Empty lines and lines that begin with # are skipped.
//
// Name, number and token must fit the architecture, so that a row cannot test another call than
// it names. The error is a *VectorError, with the line and column of the field to blame, or that of
// r; name is used in it only.
func ReadVectors(name string, r io.Reader) ([]Vector, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxVectorLine), maxVectorLine)
	var out []Vector
	n := 0
	for lines.Scan() {
		n++
		text := lines.Text()
		if strings.TrimSpace(text) == "" || text[0] == '#' {
			continue
		}
		v, column, err := parseVector(text)
		if err != nil {
			return nil, &VectorError{name, n, column, err.Error()}
		}
		v.Line = n
		out = append(out, v)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &VectorError{name, n + 1, maxVectorLine, fmt.Sprintf("a line of more than %d bytes", maxVectorLine)}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(out) == 0:
		return nil, &VectorError{File: name, Reason: "no vectors"}
	}
	return out, nil
}

// parseVector reads one row; with an error comes the column to blame.
func parseVector(line string) (v Vector, column int, err error) {
	var fields []string
	var starts []int
	for at, rest := 1, line; ; {
		field, after, more := strings.Cut(rest, "\t")
		fields, starts = append(fields, field), append(starts, at)
		if !more {
			break
		}
		at, rest = at+len(field)+1, after
	}
	if want := len(vectorFields); len(fields) < want {
		return v, len(line) + 1, fmt.Errorf("no %s: %d fields, separated by tabs, want %d", vectorFields[len(fields)], len(fields), want)
	} else if len(fields) > want {
		return v, starts[want], fmt.Errorf("%d fields, want %d", len(fields), want)
	}
	for i, read := range vectorReaders {
		if err := read(&v, fields[i]); err != nil {
			return v, starts[i], fmt.Errorf("%s: %w", vectorFields[i], err)
		}
	}
	return v, 0, nil
}

// vectorReaders read the fields in their order. Each may look at those before it.
var vectorReaders = []func(v *Vector, field string) error{
	func(v *Vector, field string) (err error) {
		v.Arch, err = syscalls.Lookup(field)
		return err
	},
	func(v *Vector, field string) error {
		token, err := strconv.ParseUint(field, 0, 32)
		if err != nil {
			return fmt.Errorf("%q is no 32-bit number", field)
		}
		if v.Data.Arch = uint32(token); v.Data.Arch != v.Arch.Audit {
			return fmt.Errorf("%#x is not the token of %s, %#x", token, v.Arch.Name, v.Arch.Audit)
		}
		return nil
	},
	func(v *Vector, field string) error {
		if field == "-" {
			return nil
		}
		if !syscalls.Known(field) {
			return unknownSyscall(field)
		}
		v.Syscall = field
		return nil
	},
	func(v *Vector, field string) (err error) {
		if v.Data.Nr, err = parseNr(field); err != nil {
			return err
		}
		nr, ok := v.Arch.Number(v.Syscall)
		if carrier, _ := v.Arch.NameOf(v.Data.Nr); carrier == "socketcall" || carrier == "ipc" {
			return nil // the name may be that of the call that the multiplexer carries
		}
		if ok && nr != v.Data.Nr {
			return fmt.Errorf("%d, but %s is %d on %s", v.Data.Nr, v.Syscall, nr, v.Arch.Name)
		}
		return nil
	},
	vectorArg(0), vectorArg(1), vectorArg(2), vectorArg(3), vectorArg(4), vectorArg(5),
	func(v *Vector, field string) (err error) {
		v.Expect, err = parseOutcome(field)
		return err
	},
}

func vectorArg(i int) func(*Vector, string) error {
	return func(v *Vector, field string) (err error) {
		v.Data.Args[i], err = parseNumber(field)
		return err
	}
}

// Check runs a filter on the call and reports whether the answer is the expected one; got is what
// the kernel carries out. The data of an action count for ERRNO and TRACE, and for others where the
// row gives some. The program must have passed Verify.
func (v Vector) Check(p filter.Program) (got filter.Action, ok bool) {
	got = simulate.Run(p, &v.Data, v.Arch.Order()).Effect()
	return got, v.Matches(got)
}

// Matches is the comparison of Check, for an answer that was found in another way.
func (v Vector) Matches(got filter.Action) bool {
	got = got.Effect()
	want := v.Expect.Effect()
	switch {
	case want.Base() == filter.Errno, want.Base() == filter.Trace, want.Data() != 0:
		return got == want
	}
	return got.Base() == want.Base()
}

// parseOutcome reads an action as vector tables write it.
func parseOutcome(word string) (filter.Action, error) {
	a, err := filter.ParseAction(word)
	if err != nil {
		return 0, err
	}
	if base := a.Base(); (base == filter.Errno || base == filter.Trace) && !strings.Contains(word, "(") {
		return 0, fmt.Errorf("%s needs its number: %s(1)", word, word)
	}
	return a, nil
}

// parseNumber reads a number of 64 bits, decimal, hex (0x), octal (0o) or binary (0b); a negative one
// gives its two's complement.
func parseNumber(word string) (uint64, error) {
	if rest, negative := strings.CutPrefix(word, "-"); negative {
		if v, err := strconv.ParseUint(rest, 0, 64); err == nil && v <= 1<<63 {
			return -v, nil
		}
	} else if v, err := strconv.ParseUint(word, 0, 64); err == nil {
		return v, nil
	}
	return 0, fmt.Errorf("%q is no 64-bit number", word)
}

// parseNr reads a syscall number as seccomp_data.nr holds it: 32 bits, signed or unsigned.
func parseNr(word string) (int32, error) {
	v, err := parseNumber(word)
	if err != nil || v > 1<<32-1 && (int64(v) < -1<<31 || int64(v) > 0) {
		return 0, fmt.Errorf("%q is no 32-bit number", word)
	}
	return int32(uint32(v)), nil
}

// unknownSyscall is the error for a name that no ABI has.
func unknownSyscall(name string) error {
	if near := syscalls.Nearest(name); near != "" {
		return fmt.Errorf("unknown syscall %q: did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown syscall %q", name)
}
