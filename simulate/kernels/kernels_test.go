package kernels

import (
	"bytes"
	"debug/elf"
	"fmt"
	"hash/fnv"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
)

// TestKernels boots the machines and compares what they answer with what we say.
func TestKernels(t *testing.T) {
	for i := range machines {
		m := &machines[i]
		if !m.Always && !full() {
			t.Logf("PROFCHECK_FULL boots %s, too", m.Name)
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(m.QEMU[0]); err != nil {
				missing(t, "%v", err)
			}
			kernel := m.kernel(t)
			m.test(t, kernel, m.JIT, wholePlan)
			switch {
			case full() && m.OneWay != "":
				t.Log("only one way of running filters: ", m.OneWay)
			case full():
				m.test(t, kernel, !m.JIT, shortPlan)
			}
		})
	}
}

// test boots the machine once. The kernel translates filters to machine code or interprets them.
func (m *machine) test(t *testing.T, kernel string, jit bool, p plan) {
	var files []file
	var jobs strings.Builder
	work := make([][]group, len(m.ABIs))
	binaries := make([][]byte, len(m.ABIs))
	plans := make([]plan, len(m.ABIs))
	for i, b := range m.ABIs {
		if plans[i] = p; i > 0 && !full() && !*update {
			plans[i] = shortPlan
		}
		work[i] = newGenerator(b, seed(fmt.Sprint(m.Name, b.Arch, jit))).work(plans[i])
		encoded, _ := encode(work[i], b.order())
		name := fmt.Sprintf("guest-%d", i)
		if i == 0 {
			name = "init"
		}
		if b.GOARCH == "" {
			name += ".script"
			binaries[i] = n32Program()
		} else {
			binaries[i] = guest(t, b.GOARCH)
		}
		files = append(files, file{name, binaries[i], 0o100755}, file{fmt.Sprintf("work-%d", i), encoded, 0o100644})
		fmt.Fprintf(&jobs, "/%s /work-%d /answers-%d\n", name, i, i)
	}
	files = append(files, file{"jobs", []byte(jobs.String()), 0o100644})
	start := time.Now()
	r, err := read(m.boot(t, kernel, jit, files))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("kernel %s, JIT %v, %v", r.Kernel, jit, time.Since(start).Round(100*time.Millisecond))
	if len(r.Answers) != len(m.ABIs) {
		t.Fatalf("answers for %d of %d ABIs", len(r.Answers), len(m.ABIs))
	}
	for i, b := range m.ABIs {
		t.Run(fmt.Sprintf("%s,jit=%v", b.Arch, jit), func(t *testing.T) {
			m.check(t, b, plans[i], r.Kernel, work[i], decode(r.Answers[i], m.ABIs[0].order()), binaries[i])
		})
	}
}

func seed(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// check compares the answers of one ABI.
func (m *machine) check(t *testing.T, b abi, p plan, kernel string, groups []group, answers []outcome, binary []byte) {
	ip, err := ipOf(groups, answers, b.arch().BigEndian)
	if err != nil {
		t.Fatal(err)
	}
	if b.GOARCH == "" {
		if ip < n32Code || ip >= n32Code+uint64(len(binary)) {
			t.Errorf("the instruction pointer %#x is not in the program", ip)
		}
	} else if err := makesCalls(binary, ip); err != nil {
		t.Error(err)
	}
	n := b.compare(groups, answers, ip, b.ours)
	t.Logf("%d pairs over %d filters and stacks (%d of several), %d programs (%d accepted), %d calls in strict mode; %v",
		n.Pairs, n.Filters, n.Stacks, n.Programs, n.Accepted, n.Strict, n.Kinds)
	if n.Wrong > 0 {
		t.Errorf("%d disagreements, such as\n%s", n.Wrong, strings.Join(n.First, "\n"))
	}
	b.enough(t, p, groups, ip, n)
	b.mustNotice(t, groups, answers, ip)
	if *update && p == wholePlan && !t.Failed() {
		for _, r := range recordings {
			if r.machine == m.Name && r.arch == b.Arch {
				if err := record(recordingFile(r.machine, r.arch), kernel, groups, answers, ip); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// makesCalls looks whether an instruction pointer is in the function that makes the guest's calls.
func makesCalls(binary []byte, ip uint64) error {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return err
	}
	symbols, err := f.Symbols()
	if err != nil {
		return err
	}
	for _, s := range symbols {
		if s.Value < ip && ip <= s.Value+s.Size {
			if strings.Contains(s.Name, "Syscall6") {
				return nil
			}
			return fmt.Errorf("the instruction pointer %#x is in %s", ip, s.Name)
		}
	}
	return fmt.Errorf("the instruction pointer %#x is in no function", ip)
}

// enough fails where less was tried than promised.
func (b abi) enough(t *testing.T, p plan, groups []group, ip uint64, n *tally) {
	whole := p == wholePlan
	if n.Pairs < p.Pairs || n.Filters < p.Pairs/p.Calls || n.Programs < p.Programs || n.Strict < 600 ||
		whole && (n.Pairs < 100_000 || n.Filters < 1_000 || n.Programs < 10_000) {
		t.Error("less work than promised")
	}
	if min := n.Programs / 5; n.Accepted < min || n.Programs-n.Accepted < min {
		t.Errorf("%d of %d programs accepted: too few of one kind", n.Accepted, n.Programs)
	}
	for _, kind := range []outcome{returned, diedThread, diedProcess, trapped} {
		if n.Kinds[kind] < 20 && (b.threads() || kind == returned || kind == diedProcess) {
			t.Errorf("%d times %v", n.Kinds[kind], kind)
		}
	}
	written, ran := make(randbpf.Coverage), make(randbpf.Coverage)
	for i := range groups {
		g := &groups[i]
		if g.Kind != underFilters {
			continue
		}
		for _, p := range g.Programs {
			written.Add(p)
			for _, d := range g.Calls {
				d.IP = ip
				d = b.seen(d)
				for _, s := range simulate.Trace(p, &d, b.order()).Trace {
					ran[p[s.PC].Code]++
				}
			}
		}
	}
	for name, c := range map[string]randbpf.Coverage{"are in the filters": written, "ran": ran} {
		code, times := c.Least()
		t.Logf("each of %d opcodes and forms: at least %d (code %#02x) %s", len(filter.Opcodes()), times, code, name)
		if least := 500; times < least && (whole || times < least/10) {
			t.Errorf("code %#02x: %d, less than 500, %s", code, times, name)
		}
	}
}
