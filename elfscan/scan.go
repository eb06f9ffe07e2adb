package elfscan

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// machines lists the decoders, by the ELF machine that they are for.
var machines = map[elf.Machine]*isa.Machine{
	elf.EM_X86_64:  isa.AMD64,
	elf.EM_AARCH64: isa.ARM64,
}

// Scan is Options.Scan with the zero Options.
func Scan(path string) (*Result, error) { return Options{}.Scan(path) }

// unwrapPath names the file once and first, as all messages do.
func unwrapPath(path string, err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// ScanReader is Scan for a file that is already open. path is only used in messages. Libraries are
// not looked for: those that the program needs are missing.
func ScanReader(path string, r io.ReaderAt, size int64) (*Result, error) {
	res, err := Options{}.scan(path, r, size, nil)
	if res != nil {
		res.Path = path
	}
	return res, err
}

// scan reads the program r of the given size; at is where it lies, nil if that is not known.
func (o Options) scan(path string, r io.ReaderAt, size int64, at *place) (*Result, error) {
	im, err := openImage(path, r, size)
	if err != nil {
		return nil, err
	}
	tab := findPclntab(im)
	if tab == nil {
		if err := goWithoutTable(im, r); err != nil {
			return nil, err
		}
		return o.scanNative(path, im, r, size, at)
	}
	version, system := goBuild(r)
	if system != "" && system != "linux" && system != "android" {
		return nil, &FormatError{path, "a program for " + system + ", which has other system calls than Linux"}
	}
	res := &Result{Kind: "go", GoVersion: version}
	p := newProgram(im, tab)
	res.Arch = p.arch
	p.release = parseRelease(res.GoVersion)
	p.watchTypes()
	p.lookUpResults()
	p.walk()
	p.findMorestack()
	process, err := o.around(p, path, r, size, at)
	if err != nil {
		return nil, err
	}
	p.fill(res, process)
	if process != nil {
		o.native(res, process, p.goText())
	}
	return res, nil
}

// scanNative reads a program that is not Go's.
func (o Options) scanNative(path string, im *image, r io.ReaderAt, size int64, at *place) (*Result, error) {
	p, err := o.load(path, r, size, at)
	if err != nil {
		return nil, err
	}
	res := &Result{Kind: "elf", Arch: syscalls.ByName(machines[im.machine].Name)}
	o.native(res, p, nil)
	if len(res.Needs)+len(res.Unresolved) == 0 && !p.Modules[0].Library() {
		// Even a program that does nothing has to end.
		res.Gaps = append(res.Gaps, Gap{Kind: GapMissing, Detail: "no system call was found, without which no program ends: its code cannot be read"})
	}
	return res, nil
}

// goWithoutTable says why a Go program without a readable function table is refused, nil if the file
// is none.
func goWithoutTable(im *image, r io.ReaderAt) error {
	if release := olderTable(im); release != "" {
		return &FormatError{im.path, fmt.Sprintf("a Go program built with Go %s: releases before 1.20 are not read", release)}
	}
	if _, err := buildinfo.Read(r); err == nil || len(im.hints) > 0 {
		return &FormatError{im.path, "a Go program whose function table (pclntab) cannot be read"}
	}
	return nil
}

// goBuild returns the toolchain that built the program and the system that it is for, as far as the
// file says; obfuscators remove both.
func goBuild(r io.ReaderAt) (version, system string) {
	info, err := buildinfo.Read(r)
	if err != nil {
		return "", ""
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" {
			system = s.Value
		}
	}
	if strings.HasPrefix(info.GoVersion, "go") {
		version = info.GoVersion
	}
	return version, system
}

// parseRelease returns the minor number of a version such as go1.26.8, 0 if it has none.
func parseRelease(version string) int {
	var minor int
	if _, err := fmt.Sscanf(version, "go1.%d", &minor); err != nil {
		return 0
	}
	return minor
}

// fill resolves all syscall instructions and turns what was found into the result.
// process is what else is mapped and will be analysed, nil for nothing.
func (p *program) fill(res *Result, process *process) {
	r := p.resolve()
	c := p.newClassifier(r)
	pr := p.newProver()
	byNr := map[int32][]candidate{}
	for _, f := range r.found {
		if f.compat {
			r.fail(f.hop, "enters the kernel through int 0x80, whose calls are those of another architecture")
			continue
		}
		if f.nr > 1<<31-1 && f.nr < 1<<64-1<<31 {
			r.fail(f.hop, fmt.Sprintf("the number %#x is no syscall number", f.nr))
			continue
		}
		cand := candidate{resolved: f}
		cand.class, cand.condition = c.class(f)
		for i, id := range f.hop.args {
			cand.args[i] = p.argValues(id)
			if v, ok := c.argument(f, i); ok && !cand.args[i].Known {
				cand.args[i] = v
			}
		}
		_, cand.rank = pr.best(f.hop.fn)
		byNr[int32(f.nr)] = append(byNr[int32(f.nr)], cand)
	}
	for nr, cands := range byNr {
		res.Needs = append(res.Needs, p.need(nr, cands, pr))
	}
	p.addKernelNeeds(res)
	if process == nil || process.interp() == nil {
		p.addLoader(res)
	}
	slices.SortFunc(res.Needs, func(a, b Need) int { return cmp.Compare(a.Nr, b.Nr) })
	p.addUnresolved(res, r, pr)
	slices.SortFunc(res.Unresolved, func(a, b Unresolved) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), strings.Compare(a.Reason, b.Reason))
	})
	p.addGaps(res, pr)
	p.addCode(res, byNr, pr)
}

// maxUnresolved bounds the unresolved places that are told one by one; the rest is one entry.
const maxUnresolved = 1000

func (p *program) addUnresolved(res *Result, r *resolver, pr *prover) {
	type key struct {
		at     uint64
		reason string
	}
	seen := map[key]bool{}
	for _, u := range r.unresolved {
		k := key{u.hop.origin().at, u.reason}
		if seen[k] {
			continue
		}
		seen[k] = true
		if len(seen) > maxUnresolved {
			continue
		}
		path := pr.path(u.hop)
		res.Unresolved = append(res.Unresolved, Unresolved{Function: path[len(path)-1].Function, Address: k.at, Reason: k.reason, Path: path})
	}
	if more := len(seen) - maxUnresolved; more > 0 {
		last := res.Unresolved[len(res.Unresolved)-1]
		last.Reason = fmt.Sprintf("%d more places without a known number", more)
		res.Unresolved = append(res.Unresolved, last)
	}
}

// candidate is one place that makes a call, with its class.
type candidate struct {
	resolved
	class     finding.Class
	condition string
	args      [6]Values
	rank      int
}

// maxSites is how many places are kept for one syscall. Beyond them only such are kept as differ from
// all others in class, condition, arguments or the functions that are always on the way, so that
// what can be judged is complete.
const maxSites = 8

// classOrder says which class a need has if its sites differ: the one whose denial weighs most.
var classOrder = map[finding.Class]int{
	finding.Required: 0, finding.Startup: 1, finding.Child: 2, finding.Kernel: 3, finding.VDSO: 4, finding.Conditional: 5,
}

func (p *program) need(nr int32, cands []candidate, pr *prover) Need {
	n := Need{Nr: nr}
	n.Name, _ = p.arch.NameOf(nr)
	slices.SortFunc(cands, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(classOrder[a.class], classOrder[b.class]), strings.Compare(a.condition, b.condition),
			cmp.Compare(a.rank, b.rank), cmp.Compare(pr.distance(a.hop), pr.distance(b.hop)),
			cmp.Compare(a.hop.at, b.hop.at), cmp.Compare(a.hop.origin().at, b.hop.origin().at))
	})
	n.Class, n.Condition = cands[0].class, cands[0].condition
	for i := range n.Args {
		n.Args[i] = mergeArgs(cands, i)
	}
	seen := map[string]bool{}
	for i, c := range cands {
		always := p.always(c.hop)
		key := fmt.Sprint(c.class, c.condition, c.args, always)
		if i >= maxSites && seen[key] {
			continue
		}
		seen[key] = true
		n.Sites = append(n.Sites, Site{Address: c.hop.origin().at, Class: c.class, Condition: c.condition, Args: c.args, Path: pr.path(c.hop), Always: always})
	}
	return n
}

// argValues turns a value into constants, unknown if it can hold anything else.
func (p *program) argValues(id flow.ValueID) Values {
	if id == flow.Unknown {
		return Values{}
	}
	c, ok := p.vs.IsConst(id)
	if !ok || len(c) == 0 {
		return Values{}
	}
	return Values{Known: true, Consts: c}
}

func mergeArgs(cands []candidate, i int) Values {
	var all []uint64
	for _, c := range cands {
		if !c.args[i].Known {
			return Values{}
		}
		all = flow.Union(all, c.args[i].Consts)
	}
	if len(all) > flow.MaxConsts {
		return Values{}
	}
	return Values{Known: true, Consts: all}
}

// addKernelNeeds adds the calls that the kernel itself makes a program make: the return from a
// signal handler, where the vDSO holds that code, and the restart of an interrupted call.
func (p *program) addKernelNeeds(res *Result) {
	has := func(name string) *Need {
		if nr, ok := p.arch.Number(name); ok {
			return res.Need(nr)
		}
		return nil
	}
	handlers := has("rt_sigaction")
	if handlers == nil {
		return
	}
	for _, k := range []struct {
		name, condition, detail string
		class                   finding.Class
	}{
		{"rt_sigreturn", "", "the kernel returns from signal handlers through it", finding.Kernel},
		// Only waits with a relative timeout are restarted that way, and only if no handler ran
		// (Documentation/userspace-api/seccomp_filter.rst, signal(7)).
		{"restart_syscall", "a stop signal, a debugger or the freezer interrupts a timed wait", "the kernel restarts the wait with it", finding.Conditional},
	} {
		nr, ok := p.arch.Number(k.name)
		if !ok || res.Need(nr) != nil {
			continue
		}
		n := Need{Nr: nr, Name: k.name, Class: k.class, Condition: k.condition, Detail: k.detail}
		if len(handlers.Sites) > 0 {
			n.Sites = []Site{{Class: k.class, Condition: k.condition, Path: handlers.Sites[0].Path}}
		}
		res.Needs = append(res.Needs, n)
	}
}
