package elfscan

import (
	"bytes"
	"debug/elf"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// pieces are instructions of x86-64 from which random code gets loops, stack traffic and syscalls.
var pieces = [][]byte{
	{0x0f, 0x05}, {0xcd, 0x80}, {0x50}, {0x58}, {0xc3}, {0x90}, {0x0f, 0x0b}, {0x31, 0xc0},
	{0xb8, 39, 0, 0, 0}, {0x89, 0xc8}, {0x48, 0x89, 0xc1}, {0x48, 0x83, 0xec, 0x18}, {0x48, 0x83, 0xc4, 0x18},
	{0x48, 0x89, 0x44, 0x24, 0x08}, {0x48, 0x8b, 0x44, 0x24, 0x08}, {0x48, 0x8d, 0x44, 0x24, 0x08},
	{0x48, 0x89, 0x04, 0xcc}, {0xff, 0xd0}, {0xff, 0xe0}, {0x48, 0x01, 0xc8}, {0x48, 0xff, 0xc0},
}

func randomCode(r *rand.Rand, n int) []byte {
	var out []byte
	for len(out) < n {
		switch k := r.IntN(len(pieces) + 8); {
		case k < len(pieces):
			out = append(out, pieces[k]...)
		case k < len(pieces)+4: // short jumps, conditional ones mostly
			out = append(out, []byte{0xeb, 0x74, 0x75, 0x7c}[k-len(pieces)], byte(r.IntN(256)))
		case k < len(pieces)+6: // a call or jump of any of the code
			out = append(out, []byte{0xe8, 0xe9}[k-len(pieces)-4])
			d := uint32(r.IntN(n)) - uint32(len(out))
			out = append(out, byte(d), byte(d>>8), byte(d>>16), byte(d>>24))
		default:
			out = append(out, byte(r.Uint32()))
		}
	}
	return out[:n]
}

// Random code must be followed quickly and to the end, and none of its syscall instructions lost.
func TestRandomCode(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 1500 {
		machine, n := elf.EM_X86_64, 16+r.IntN(600)
		code := randomCode(r, n)
		if r.IntN(4) == 0 {
			machine = elf.EM_AARCH64
			for i := range code {
				code[i] = byte(r.Uint32())
			}
			for i := 0; i+4 <= n; i += 4 * (1 + r.IntN(8)) {
				copy(code[i:], [][]byte{{1, 0, 0, 0xd4}, {0xc0, 3, 0x5f, 0xd6}, {0x40, 0, 0, 0x54}, {0xe8, 7, 0x40, 0xf9}}[r.IntN(4)])
			}
		}
		_, tab := tableOf(t, tinyProgram(machine, code, 1+r.IntN(min(8, n))))
		p := newProgram(tab.im, tab)
		p.watchTypes()
		p.walk()
		p.findMorestack()
		for fn := range tab.funcs {
			checkComplete(t, p, fn)
		}
		if t.Failed() {
			t.Fatalf("%s: % x", machine, code)
		}
	}
}

// Code made to be expensive: the work and the memory stay within bounds.
func TestExpensiveCode(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	repeat := func(n int, b ...byte) []byte { return bytes.Repeat(b, n/len(b)) }
	spills := []byte{}
	for i := range 120 { // 120 slots, then branches that all carry them
		spills = append(spills, 0x48, 0x89, 0x44, 0x24, byte(-8*(i%16)), 0x50)
	}
	for _, c := range []struct {
		name  string
		code  []byte
		funcs int
	}{
		{"pushes", repeat(200<<10, 0x50, 0x0f, 0x05), 1},
		{"branches", append(spills, repeat(200<<10, 0x74, 0x02, 0xeb, 0xfc, 0x0f, 0x05)...), 1},
		{"calls", repeat(1<<20, 0xe8, 0xf9, 0xff, 0, 0, 0x0f, 0x05), 1 << 14},
		{"one long function", repeat(1<<20, 0xe8, 0, 0, 0, 0, 0x0f, 0x05), 1},
		{"random", randomCode(r, 256<<10), 1},
		{"random functions", randomCode(r, 1<<20), 1 << 12},
		{"syscalls", repeat(1<<20, 0x0f, 0x05), 1 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := tinyProgram(elf.EM_X86_64, c.code, c.funcs)
			stop, peak := make(chan struct{}), make(chan uint64)
			go func() {
				var highest uint64
				for {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					highest = max(highest, m.HeapAlloc)
					select {
					case <-stop:
						peak <- highest
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			}()
			defer debug.SetGCPercent(debug.SetGCPercent(20)) // close to what is in use
			debug.FreeOSMemory()
			start := time.Now()
			_, err := ScanReader("expensive", bytes.NewReader(b), int64(len(b)))
			took := time.Since(start)
			close(stop)
			if highest := <-peak; highest > 64<<20+8*uint64(len(b))+32<<20 { // and what the test itself holds
				t.Errorf("%d bytes of heap for a file of %d", highest, len(b))
			}
			if err != nil || took > 20*time.Second {
				t.Errorf("%s, %v", took, err)
			}
			t.Logf("%s for %d bytes", took, len(b))
		})
	}
}
