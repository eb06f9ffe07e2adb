package code

import (
	"debug/elf"
	"path/filepath"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// sample is a small program of testdata, made by testdata/build.sh. Its symbols tell where things
// are; Extract does not see them.
type sample struct {
	*testing.T
	*Facts
	m    *module.Module
	syms map[string]uint64
}

func load(t *testing.T, name string) *sample {
	t.Helper()
	m := open(t, filepath.Join("testdata", name))
	s := &sample{T: t, m: m, syms: map[string]uint64{}}
	f, err := elf.Open(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, sym := range syms {
		s.syms[sym.Name] = sym.Value
	}
	m.Locals = nil
	s.extract()
	return s
}

func (s *sample) extract() {
	s.Helper()
	s.Facts = Extract(s.m)
	checkFacts(s.T, s.Facts)
}

// addr is where a label lies.
func (s *sample) addr(label string) uint64 {
	s.Helper()
	a, ok := s.syms[label]
	if !ok {
		s.Fatalf("no symbol %s", label)
	}
	return a
}

// fn is the function that begins at a label.
func (s *sample) fn(label string) Func {
	s.Helper()
	for _, fn := range s.Funcs {
		if fn.Start == s.addr(label) {
			return fn
		}
	}
	s.Errorf("no function begins at %s, %#x", label, s.addr(label))
	return Func{}
}

// none checks that no function holds a label.
func (s *sample) none(label string) {
	s.Helper()
	if s.holds(s.addr(label)) {
		s.Errorf("a function holds %s, %#x", label, s.addr(label))
	}
}

// refs are the references of a function that have a kind.
func (s *sample) refs(fn Func, k Kind) []Ref {
	var out []Ref
	for _, r := range s.Refs[fn.First : fn.First+fn.N] {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

// calls checks that the system calls of a whole file are at these labels and no others.
func (s *sample) calls(labels ...string) {
	s.Helper()
	var got, want []uint64
	for _, r := range s.Refs {
		if r.Kind == Syscall || r.Kind == Compat {
			got = append(got, r.At)
		}
	}
	for _, l := range labels {
		want = append(want, s.addr(l))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("system calls at %#x, want %#x", got, want)
	}
}

// TestGapBehindFrame is clone of glibc: its frame ends before the system call.
func TestGapBehindFrame(t *testing.T) {
	for _, name := range []string{"clone.amd64", "clone.arm64"} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			if fn := s.fn("clone"); fn.End != s.addr("clone_end") || fn.Flags != HasSyscall {
				t.Errorf("clone ends at %#x with flags %05b, not at %#x", fn.End, fn.Flags, s.addr("clone_end"))
			} else if j := s.refs(fn, Jump); len(j) != 1 || j[0].Target != s.addr("thread_start") {
				t.Errorf("clone jumps to %+v", j)
			}
			if fn := s.fn("thread_start"); fn.Flags != HasSyscall|HasIndirect {
				t.Errorf("thread_start has flags %05b", fn.Flags)
			}
			s.fn("returns")
			s.none("stranger")
		})
	}
}

// TestFunctionsWithoutFrames is crtstuff, and code behind calls that do not return.
func TestFunctionsWithoutFrames(t *testing.T) {
	s := load(t, "crt.amd64")
	if fn := s.fn("before"); fn.End != s.addr("before_end") || fn.Flags != 0 {
		t.Errorf("before ends at %#x with flags %05b", fn.End, fn.Flags)
	}
	if fn := s.fn("frame_dummy"); fn.Flags != Guessed {
		t.Errorf("frame_dummy has flags %05b", fn.Flags)
	} else if j := s.refs(fn, Jump); len(j) != 1 || j[0].Target != s.addr("register_tm_clones") {
		t.Errorf("frame_dummy jumps to %+v", j)
	}
	if fn := s.fn("register_tm_clones"); fn.Flags != Guessed|HasSyscall {
		t.Errorf("register_tm_clones has flags %05b", fn.Flags)
	}
	s.fn("destructor")
	s.calls("register_syscall", "stop_syscall")

	s = load(t, "noreturn.amd64")
	for _, name := range []string{"_start", "first", "second", "other", "stop"} {
		fn := s.fn(name)
		if want := Guessed | HasSyscall*Flags(len(s.refs(fn, Syscall))); fn.Flags != want {
			t.Errorf("%s has flags %05b", name, fn.Flags)
		}
	}
	s.calls("other_syscall", "stop_syscall")
	s.none("first_end")
}

// TestSignalRestorer is __restore_rt, whose frame begins early, and an odd function.
func TestSignalRestorer(t *testing.T) {
	s := load(t, "restorer.amd64")
	s.fn("restore")
	s.fn("odd")
	s.calls("restore_syscall", "odd_syscall")
}

// TestConstantsInText has tables between functions, with and without frames and section headers.
func TestConstantsInText(t *testing.T) {
	s := load(t, "table.amd64")
	for _, strip := range []func(){
		func() {}, func() { s.m.Frames = nil }, func() { s.m.Sections = nil },
	} {
		strip()
		s.extract()
		if fn := s.fn("callback"); fn.End != s.addr("callback_end") || fn.Flags != Guessed|HasSyscall {
			t.Errorf("callback ends at %#x with flags %05b", fn.End, fn.Flags)
		}
		s.calls("callback_syscall")
		s.none("constants")
	}
}

// TestAbsoluteAddresses has a program without relocations.
func TestAbsoluteAddresses(t *testing.T) {
	s := load(t, "absolute.amd64")
	var got []uint64
	fn := s.fn("_start")
	for _, r := range s.refs(fn, Addr) {
		got = append(got, r.Target)
	}
	object := s.addr("object")
	want := []uint64{object, object + 8, s.addr("handler"), object + 16, s.addr("table"), s.addr("table2"), object + 24,
		s.addr("object2"), s.addr("table2"), // an index may lead to what is behind
		s.addr("table2"), s.addr("table2") - 8, s.addr("table2"), s.addr("table"), s.addr("table2")}
	if !slices.Equal(got, want) {
		t.Errorf("addresses %#x, want %#x", got, want)
	}
	pointer := s.addr("pointer")
	if l := s.refs(fn, Load); len(l) != 1 || l[0].Target != pointer || l[0].Size != 8 {
		t.Errorf("loads %+v", l)
	}
	if l := s.refs(fn, Store); len(l) != 1 || l[0].Target != pointer || l[0].Size != 8 {
		t.Errorf("stores %+v", l)
	}
	if fn.Flags&HasIndirect == 0 {
		t.Error("a jump through a table of functions is not indirect")
	}
	s.fn("handler")
	if fn := s.fn("case0"); fn.Flags != Guessed|HasSyscall { // only a word of data tells
		t.Errorf("case0 has flags %05b", fn.Flags)
	}
	for label, want := range map[string]bool{"object": true, "object2": false, "table": false, "table2": true} {
		if _, ok := slices.BinarySearch(s.Objects, s.addr(label)); ok != want {
			t.Errorf("object at %s: %v", label, ok)
		}
	}
}

// TestSizes has accesses of all sizes to one place.
func TestSizes(t *testing.T) {
	s := load(t, "slots.amd64")
	fn, cell := s.fn("_start"), s.addr("cell")
	type access struct {
		kind Kind
		size uint8
	}
	want := []access{
		{Load, 1}, {Load, 2}, {Load, 4}, {Load, 8}, {Load, 16}, {Load, 32}, {Load, 64}, {Load, 8},
		{Store, 8}, {Store, 16}, {Load, 8}, {Load, 10},
		{Addr, 0}, {Addr, 0}, // FXRSTOR, BT with a register
		{Load, 8}, {Load, 8}, // CALL, JMP
	}
	var got []access
	for _, r := range s.Refs[fn.First : fn.First+fn.N] {
		if r.Target != cell {
			t.Errorf("%#x: refers to %#x", r.At, r.Target)
		}
		got = append(got, access{r.Kind, r.Size})
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if fn.Flags != HasIndirect {
		t.Errorf("flags %05b", fn.Flags)
	}
}

// TestProcedureLinkageTables has entries of all sizes.
func TestProcedureLinkageTables(t *testing.T) {
	// With IBT the entries of .plt only push a number; those of .plt.sec load the slot.
	lazy := map[string]bool{"plt-branch.amd64.plt": true}
	for name, sizes := range map[string]map[string][]uint64{
		"plt-none.amd64":   {".plt": {16, 16}, ".plt.got": {8, 8}},
		"plt-branch.amd64": {".plt": {16, 16}, ".plt.got": {16, 16}, ".plt.sec": {16}},
		"plt-none.arm64":   {".plt": {32, 16, 16, 16}},
		"plt-bti.arm64":    {".plt": {32, 16, 16, 16}},
	} {
		s := load(t, name)
		for section, want := range sizes {
			sec := s.m.Section(section)
			if sec == nil {
				t.Fatalf("%s: no section %s", name, section)
			}
			var got []uint64
			for _, fn := range s.Funcs {
				if fn.Start-sec.Addr >= sec.Size {
					continue
				}
				got = append(got, fn.End-fn.Start)
				if fn.Flags&Stub == 0 {
					t.Errorf("%s: %#x is no stub", name, fn.Start)
				}
				if l := s.refs(fn, Load); !lazy[name+section] && (section != ".plt" || len(got) > 1) && (len(l) != 1 || l[0].Size != 8 || len(s.refs(fn, Addr)) > 0) {
					t.Errorf("%s: stub %#x loads %+v", name, fn.Start, l)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has entries of %d bytes, want %d", name, section, got, want)
			}
		}
	}
}

// TestJumpTables has functions with cases, by frames and without.
func TestJumpTables(t *testing.T) {
	for _, name := range []string{"switch.amd64", "switch-exec.amd64", "switch.arm64"} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			bounded := s.Facts
			for _, fn := range []string{"pick", "colder"} {
				if f := s.fn(fn); f.Flags&HasIndirect != 0 {
					t.Errorf("%s has an indirect jump", fn)
				}
			}
			if f := s.fn("_start"); f.Flags&HasIndirect == 0 {
				t.Error("_start has no indirect call")
			}
			cold := false
			for _, r := range s.refs(s.fn("colder"), Jump) {
				cold = cold || r.Target == s.addr("colder.cold")
			}
			if _, ok := s.syms["colder.cold"]; ok && !cold {
				t.Error("nothing leads to the cold part")
			}
			s.m.Frames = nil
			s.extract()
			for _, fn := range bounded.Funcs {
				if !s.holds(fn.Start) {
					t.Errorf("without frames no function holds %#x", fn.Start)
				}
			}
			for _, r := range bounded.Refs {
				if !slices.ContainsFunc(s.Refs, func(o Ref) bool { return o.At == r.At && o.Target == r.Target }) && r.Kind != Jump {
					t.Errorf("without frames the reference %+v is missing", r)
				}
			}
		})
	}
}

// TestLandingPads has system calls that only exceptions lead to.
func TestLandingPads(t *testing.T) {
	s := load(t, "landing.amd64")
	n := 0
	for _, r := range s.Refs {
		if r.Kind == Syscall {
			n++
		}
	}
	if n < 3 { // the destructor on both ways, the handler
		t.Errorf("%d system calls", n)
	}
}

// TestSectionAnchors has an object file of GCC for arm64 that reaches all objects from one address.
func TestSectionAnchors(t *testing.T) {
	s := load(t, "anchors.arm64")
	fn := s.fn("use")
	reached := func(label string, size uint64, kinds ...Kind) bool {
		for _, r := range s.Refs[fn.First : fn.First+fn.N] {
			if r.Target-s.addr(label) < size && slices.Contains(kinds, r.Kind) {
				return true
			}
		}
		return false
	}
	for label, size := range map[string]uint64{"first": 32, "handlers": 32, "last": 32, "handler": 4} {
		if !reached(label, size, Addr) {
			t.Errorf("the address of %s is not formed", label)
		}
	}
	if !reached("counter", 8, Load) || !reached("counter", 8, Store) {
		t.Error("counter is not read and written")
	}
	// other adds the index to the anchor first: what it means comes behind.
	fn = s.fn("other")
	for _, label := range []string{"before", "after"} {
		if !reached(label, 48, Addr) {
			t.Errorf("the address of %s is not formed", label)
		}
	}
}
