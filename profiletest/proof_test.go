package profiletest

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// observed is a filter with what a kernel did with calls under it.
type observed struct {
	program filter.Program
	rows    []Vector
}

// kernelRows reads what a Linux 6.18 x86-64 kernel did with 200 random filters that use all of BPF.
func kernelRows(t *testing.T) []observed {
	t.Helper()
	f, err := os.Open("../simulate/testdata/kernel.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []observed
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if head, ok := strings.CutPrefix(lines.Text(), "filter "); ok {
			_, code, _ := strings.Cut(head, " ")
			raw, err := hex.DecodeString(code)
			if err != nil {
				t.Fatal(err)
			}
			p, err := filter.Decode(raw, binary.LittleEndian)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, observed{program: p})
			continue
		}
		rows, err := ReadVectors("kernel", strings.NewReader(lines.Text()))
		if err != nil {
			t.Fatal(err)
		}
		last := &out[len(out)-1]
		last.rows = append(last.rows, rows...)
	}
	if err := lines.Err(); err != nil || len(out) != 200 {
		t.Fatalf("%d filters, %v", len(out), err)
	}
	return out
}

func (o *observed) compiled() *compiled {
	return &compiled{program: o.program, order: binary.LittleEndian, reached: make([]bool, len(o.program))}
}

// What the kernel did with a call is among the answers to its number, and the only one where all
// arguments are bound to those of the call; each answer comes with a call that gets it.
func TestAnswersAgreeWithKernel(t *testing.T) {
	asked, unknown := 0, 0
	for _, o := range kernelRows(t) {
		c := o.compiled()
		for _, v := range o.rows {
			abi := syscalls.ByAudit(v.Data.Arch, v.Data.Nr)
			var conds []bound
			for i, a := range v.Data.Args {
				conds = append(conds, bound{i, registers(abi), []span[uint64]{{a, a}}})
			}
			if asked++; asked%3 == 0 { // by a guard, and not as a constant
				for i := range conds {
					conds[i].mask &^= 1 << 5
					conds[i].spans[0].from &^= 1 << 5
					conds[i].spans[0].to &^= 1 << 5
				}
			}
			free, err := c.answers(abi, v.Data.Nr, nil)
			bound, err2 := c.answers(abi, v.Data.Nr, conds)
			if err != nil || err2 != nil {
				if !errors.Is(errors.Join(err, err2), errUndecided) {
					t.Fatal(err, err2)
				}
				unknown++
				continue
			}
			if !answered(free, v) || !answered(bound, v) || asked%3 != 0 && ipBlind(o.program) && len(bound) != 1 {
				t.Errorf("%v: the kernel did %v, found %v and %v", o.program, v.Expect, free, bound)
			}
			for _, a := range append(free, bound...) {
				if got := simulate.Run(o.program, &a.witness, nil); got != a.action {
					t.Errorf("%v: the witness %v gets %v, not %v", o.program, a.witness, got, a.action)
				}
			}
		}
	}
	if asked != 10000 || unknown > asked/2 {
		t.Errorf("%d of %d cannot be decided", unknown, asked)
	}
	t.Logf("%d rows, %d of them cannot be decided", asked, unknown)
}

func answered(list []answer, v Vector) bool {
	for _, a := range list {
		if v.Matches(a.action) {
			return true
		}
	}
	return false
}

// ipBlind reports whether a filter does not look at the instruction pointer.
func ipBlind(p filter.Program) bool {
	for _, in := range p {
		if in.Code == filter.OpLdAbs && (in.K == filter.OffsetIP || in.K == filter.OffsetIP+4) {
			return false
		}
	}
	return true
}

// Numbers of a piece are answered alike: both ends and the middle, in the kernel's filters.
func TestPieces(t *testing.T) {
	abi := syscalls.ByName("x86_64")
	whole, decided := span[uint32]{0, 1<<30 - 1}, 0
	for _, o := range kernelRows(t) {
		c := o.compiled()
		pieces, err := c.pieces(whole)
		if err != nil {
			continue
		}
		decided++
		next := uint32(0)
		for _, p := range pieces {
			if p.from != next || p.to < p.from {
				t.Fatalf("pieces %v", pieces)
			}
			next = p.to + 1
			for _, v := range o.rows[:5] {
				want := filter.Action(0)
				for i, nr := range []uint32{p.from, p.to, p.from + (p.to-p.from)/2} {
					d := filter.Data{Nr: int32(nr), Arch: abi.Audit, Args: v.Data.Args}
					got := simulate.Run(o.program, &d, nil)
					if i == 0 {
						want = got
					}
					if got != want {
						t.Fatalf("%v: numbers %v: %v and %v", o.program, p, want, got)
					}
				}
			}
		}
		if next != whole.to+1 {
			t.Fatalf("pieces end at %d", next)
		}
	}
	if decided < 20 {
		t.Errorf("only %d filters compare the number with constants alone", decided)
	}
}

// The groups divide the numbers of an ABI, and ABIs that share a token divide all numbers.
func TestGroupNumbers(t *testing.T) {
	tokens := make(map[uint32]uint64)
	for _, arch := range syscalls.Arches() {
		size := func(list []span[uint32]) (n uint64) {
			for _, s := range list {
				n += uint64(s.to) - uint64(s.from) + 1
				for _, nr := range []uint32{s.from, s.to} {
					if syscalls.ByAudit(arch.Audit, int32(nr)) != arch {
						t.Errorf("%s: %#x belongs to another", arch.Name, nr)
					}
				}
			}
			return n
		}
		all := size(groupNumbers(wordAll, arch))
		tokens[arch.Audit] += all
		if named := uint64(len(arch.Syscalls())); size(groupNumbers(wordUnnamed, arch))+named != all {
			t.Errorf("%s: %d unnamed and %d named of %d", arch.Name, size(groupNumbers(wordUnnamed, arch)), named, all)
		}
		for _, s := range groupNumbers(wordUnnamed, arch) {
			for _, nr := range []uint32{s.from, s.to} {
				if name, ok := arch.NameOf(int32(nr)); ok {
					t.Errorf("%s: %d is %s", arch.Name, nr, name)
				}
			}
		}
	}
	for token, n := range tokens {
		if n != 1<<32 {
			t.Errorf("token %#x: %d numbers", token, n)
		}
	}
}

// Coverage: what any call reaches is reached by an expectation about all calls, and what no call can
// reach is not. The calls are those of libseccomp's own suite.
func TestCoverage(t *testing.T) {
	dir := sharedDir(t, "vectors/libseccomp")
	files, err := filepath.Glob(filepath.Join(dir, "*.bpf"))
	if err != nil || len(files) != 43 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		rows := readTable(t, strings.TrimSuffix(file, ".bpf")+".tsv")
		program := readFilter(t, file, rows[0].Arch)
		c := &compiled{program: program, order: rows[0].Arch.Order(), reached: make([]bool, len(program))}
		ran := make([]bool, len(program))
		for _, v := range rows {
			for _, s := range simulate.Trace(program, &v.Data, c.order).Trace {
				ran[s.PC] = true
			}
		}
		for _, arch := range syscalls.Arches() {
			if filter.IsBigEndian(arch.Order()) != filter.IsBigEndian(c.order) {
				continue
			}
			for _, n := range ownNumbers(arch) {
				if _, err := c.all(n, arch, nil); err != nil {
					t.Errorf("%s on %s: %v", file, arch.Name, err)
				}
			}
		}
		for pc := range program {
			if ran[pc] && !c.reached[pc] {
				t.Errorf("%s: instruction %d ran and is not covered", file, pc)
			}
		}
	}
}

// An instruction behind a condition that no call fulfils is not reached, however it looks.
func TestCoverageOfDeadCode(t *testing.T) {
	abi := syscalls.ByName("x86_64")
	p := filter.Program{
		filter.Load(filter.ArgLow(0, nil)),
		filter.Jump(filter.OpJeqK, 5, 0, 2),
		filter.Jump(filter.OpJeqK, 6, 0, 1), // after 5 never
		filter.Return(filter.Trap),          // dead
		filter.Jump(filter.OpJgtK, 6, 0, 1),
		filter.Return(filter.KillThread),
		filter.Return(filter.Allow),
	}
	for text, want := range map[string]string{
		"":          "[true true true false true true true]",
		"arg0 == 5": "[true true true false true false true]",
		"arg0 == 9": "[true true false false true true false]",
		"arg0 > 6":  "[true true true false true true true]", // in its low half it can be 5
	} {
		c := &compiled{program: p, order: binary.LittleEndian, reached: make([]bool, len(p))}
		var conds []bound
		if text != "" {
			conds = append(conds, parseCondition(t, text, abi))
		}
		if _, err := c.all(span[uint32]{0, 0}, abi, conds); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.reached); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Rules that only some arguments reach are found, each for its own.
func TestRuleCoverage(t *testing.T) {
	for expect, want := range map[string]string{
		"- allow: read":                                 "0:write,open",
		"- allow: [read, write, open]":                  "0",
		"- allow: personality(0)":                       "7",
		"- allow: personality(8)":                       "8",
		"- allow: personality(arg0 in {0, 8})":          "7 8",
		"- deny: personality(arg0 != 0)":                "8",
		"- deny: personality":                           "7 8",
		"- deny: personality(1)":                        "",
		"- deny: 100..200\n  arches: x86_64":            "3 7 8",
		"- allow: mount\n  caps: SYS_ADMIN":             "5",
		"- deny: mount":                                 "",
		"- ask: all":                                    "0 1 2 3 4 6 7 8",
		"- ask: all\n- allow: mount\n  caps: SYS_ADMIN": "0 1 2 3 4 5 6 7 8",
	} {
		r, err := runText(t, "expect:\n"+expect+"\n")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range r.Coverage.Rules {
			if !c.Reached {
				continue
			}
			text := itoa(c.Rule.Index)
			if len(c.Missed) > 0 {
				text += ":" + strings.Join(c.Missed, ",")
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", expect, got, want)
		}
		if mount := r.Coverage.Rules[5]; mount.Enforced != strings.Contains(expect, "SYS_ADMIN") {
			t.Errorf("%s: the rule for mount: enforced %v", expect, mount.Enforced)
		}
	}
}
