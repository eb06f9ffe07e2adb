package simulate

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

var bothOrders = []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}

// compareThree holds Run, Trace and Machine against one another.
func compareThree(p filter.Program, m *Machine, d *filter.Data, order binary.ByteOrder) error {
	want := Run(p, d, order)
	if got := m.Run(d); got != want {
		return fmt.Errorf("%v on %+v: Run %v, Machine %v", p, *d, want, got)
	}
	if got := Trace(p, d, order).Action; got != want {
		return fmt.Errorf("%v on %+v: Run %v, Trace %v", p, *d, want, got)
	}
	return nil
}

func TestMachineRandom(t *testing.T) {
	g := randbpf.New(21)
	arches := syscalls.Arches()
	ran := make(randbpf.Coverage)
	for i := range 5000 {
		p := g.Filter(randbpf.Shape{IP: true, Actions: true, Raw: true})
		for _, order := range bothOrders {
			m := NewMachine(p, order)
			for range 20 {
				d := g.Data(arches[i%len(arches)], p)
				d.IP = d.Args[0] ^ d.Args[1]
				if err := compareThree(p, m, &d, order); err != nil {
					t.Fatal(err)
				}
			}
		}
		ran.Add(p)
	}
	if code, n := ran.Least(); n < 500 {
		t.Errorf("code %#02x is in %d places only", code, n)
	}
}

// TestMachineTables compares on programs that get tables: comparisons of the number with constants,
// close together and far apart, at any base. Each number near a constant is tried.
func TestMachineTables(t *testing.T) {
	g := randbpf.New(22)
	tables := 0
	for i := range 400 {
		base := []uint32{0, 0, 4000, 6000, 0x40000000, 0xfffffe00}[i%6]
		p := g.Ladder(base, 8+i%60)
		if err := p.Verify(); err != nil {
			t.Fatal(err)
		}
		m := NewMachine(p, binary.LittleEndian)
		tables += len(m.tables)
		for _, nr := range nearNumbers(p) {
			d := filter.Data{Nr: int32(nr), Arch: 0xc000003e, Args: [6]uint64{uint64(nr % 3)}}
			if err := compareThree(p, m, &d, binary.LittleEndian); err != nil {
				t.Fatal(err)
			}
		}
	}
	if tables < 300 {
		t.Errorf("%d tables in 400 programs", tables)
	}
	// The twin: a table with wrong places is found out.
	p := g.Ladder(0, 40)
	m := NewMachine(p, binary.LittleEndian)
	for i := range m.tables[0].to {
		m.tables[0].to[i] = uint16(len(p) - 1)
	}
	wrong := 0
	for _, nr := range nearNumbers(p) {
		if compareThree(p, m, &filter.Data{Nr: int32(nr)}, binary.LittleEndian) != nil {
			wrong++
		}
	}
	if wrong == 0 {
		t.Error("a wrong table was not seen")
	}
}

// nearNumbers are the constants of a program with their neighbours, and where tables begin and end.
func nearNumbers(p filter.Program) []uint32 {
	var near []uint32
	for _, in := range p {
		for d := uint32(0); d < 3; d++ {
			near = append(near, in.K+d-1, in.K+d-1+tableSize, in.K+d-1-tableSize)
		}
	}
	return append(near, 0, tableSize-1, tableSize, tableSize+1, 1<<31, 1<<32-1)
}

// TestMachineMoby compares all that libseccomp made of Docker's default profile, and our own, on
// every number that any table names and on many that none does.
func TestMachineMoby(t *testing.T) {
	programs := map[string]filter.Program{"own": ownFilter(t)}
	files, err := filepath.Glob(filepath.Join(sharedDir(t, "vectors/moby"), "*.bpf"))
	if err != nil || len(files) != 55 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		programs[filepath.Base(file)] = readFilter(t, file, mobyOrder(file))
	}
	for name, p := range programs {
		order := mobyOrder(name)
		m := NewMachine(p, order)
		if len(m.tables) == 0 {
			t.Errorf("%s: no table", name)
		}
		for _, a := range syscalls.Arches() {
			if a.BigEndian != filter.IsBigEndian(order) {
				continue
			}
			for nr := a.Base - 2; nr < a.Base+1100; nr++ {
				for _, v := range []uint64{0, 8, 0x20000, 1<<32 | 8} {
					d := filter.Data{Nr: nr, Arch: a.Audit, Args: [6]uint64{v, v + 1, v}}
					if got, want := m.Run(&d), Run(p, &d, order); got != want {
						t.Fatalf("%s: %s %d: Run %v, Machine %v", name, a, nr, want, got)
					}
				}
			}
		}
	}
}

// TestMachineAllocations: one evaluation of a tree allocates nothing.
func TestMachineAllocations(t *testing.T) {
	m := NewMachine(ownFilter(t), binary.LittleEndian)
	d := filter.Data{Nr: 59, Arch: 0xc000003e}
	if n := testing.AllocsPerRun(1000, func() { m.Run(&d) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// TestMachineConcurrent is for the race detector.
func TestMachineConcurrent(t *testing.T) {
	m := NewMachine(ownFilter(t), binary.LittleEndian)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for nr := range int32(maxNr) {
				m.Run(&filter.Data{Nr: nr, Arch: 0xc000003e})
			}
		})
	}
	wait.Wait()
}

// TestMachineBounded prepares programs that are made to be expensive.
func TestMachineBounded(t *testing.T) {
	var loads, chain filter.Program
	for len(loads) < filter.MaxInsns-1 {
		loads = append(loads, filter.Load(filter.OffsetNr), filter.Jump(filter.OpJeqK, uint32(len(loads)), 0, 0))
	}
	for len(chain) < filter.MaxInsns-1 {
		if len(chain)%16 == 0 {
			chain = append(chain, filter.Load(filter.OffsetNr))
		}
		chain = append(chain, filter.Jump(filter.OpJeqK, 0, 0, 0))
	}
	for name, p := range map[string]filter.Program{
		"loads": append(loads[:filter.MaxInsns-1], filter.Return(filter.Allow)),
		"chain": append(chain[:filter.MaxInsns-1], filter.Return(filter.Allow)),
	} {
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := NewMachine(p, nil)
		if len(m.tables) > maxTables {
			t.Errorf("%s: %d tables", name, len(m.tables))
		}
		if got := m.Run(&filter.Data{Nr: 5}); got != filter.Allow {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzMachine checks that Run, Trace and Machine give the same for any program that verifies, and
// that a Machine of any other ends.
func FuzzMachine(f *testing.F) {
	g := randbpf.New(23)
	for i := range uint64(20) {
		f.Add(g.Filter(randbpf.Shape{IP: true, Actions: true, Raw: true}).Encode(binary.LittleEndian), int32(i), i<<32|i, i*3)
		f.Add(g.Ladder(uint32(i)*500, 20).Encode(binary.LittleEndian), int32(i), i, i)
	}
	f.Fuzz(func(t *testing.T, raw []byte, nr int32, a0, ip uint64) {
		p, err := filter.Decode(raw, binary.LittleEndian)
		if err != nil {
			return
		}
		d := filter.Data{Nr: nr, Arch: 0xc000003e, IP: ip, Args: [6]uint64{a0, ip, a0 ^ ip, ^a0, a0 << 32, ip >> 32}}
		for _, order := range bothOrders {
			m := NewMachine(p, order)
			m.Run(&d)
			if p.Verify() == nil {
				if err := compareThree(p, m, &d, order); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
