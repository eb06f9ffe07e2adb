package profile

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/syscalls"
)

// filled repeats what f writes until a profile is as long as it may be.
func filled(prefix, suffix string, f func(i int) string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i := 0; b.Len() < maxInput-len(suffix)-400; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(f(i))
	}
	return b.String() + suffix
}

// The longest texts of the worst kinds end soon and stay in bounds: 64 MiB and eight times the input
// are what a file may cost.
func TestHostile(t *testing.T) {
	const head = `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_ARM","SCMP_ARCH_AARCH64"],"syscalls":[`
	all := syscalls.Names()
	for name, text := range map[string]string{
		"unknown names": filled(head+`{"action":"SCMP_ACT_ALLOW","names":[`, `]}]}`, func(i int) string { return fmt.Sprintf("%q", fmt.Sprint("r", i)) }),
		"known names":   filled(head+`{"action":"SCMP_ACT_ALLOW","names":[`, `]}]}`, func(i int) string { return fmt.Sprintf("%q", all[i%len(all)]) }),
		"conditions": filled(head, `]}`, func(i int) string {
			return fmt.Sprintf(`{"names":["ioctl"],"action":%q,"args":[{"index":%d,"op":"SCMP_CMP_MASKED_EQ","value":%d,"valueTwo":%d}]}`, []string{"SCMP_ACT_ALLOW", "SCMP_ACT_TRAP"}[i%2], i%6, i+1, i)
		}),
		"alternatives": filled(head+`{"action":"SCMP_ACT_ALLOW","names":["ioctl"],"args":[`, `]}]}`, func(i int) string { return fmt.Sprintf(`{"op":"SCMP_CMP_EQ","value":%d}`, 2*i) }),
		"unknown keys": filled(`{`, `}`, func(i int) string { return fmt.Sprintf(`"k%d":0`, i) }),
		"empty arrays": filled(`{"x":[`, `]}`, func(int) string { return "[]" }),
		"lines":        filled(`{"x":[`, `]}`, func(int) string { return "\n0" }),
		"empty rules":  filled(head, `]}`, func(int) string { return `{"action":"SCMP_ACT_LOG"}` }),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begin := time.Now()
			p, err := Parse("p", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if used, most := after.HeapAlloc-before.HeapAlloc, uint64(64<<20+8*len(text)); after.HeapAlloc > before.HeapAlloc && used > most {
				t.Errorf("%d MiB after reading %d MiB", used>>20, len(text)>>20)
			}
			r, err := p.Resolve(Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")})
			var load *LoadError
			if err != nil && !errors.As(err, &load) {
				t.Fatal(err)
			}
			if r != nil {
				var size *SizeError
				if _, err := r.Compile(); err != nil && !errors.As(err, &size) {
					t.Error(err)
				}
			}
			runtime.ReadMemStats(&after)
			t.Logf("%v, heap %d MiB, %v", time.Since(begin).Round(time.Millisecond), (after.HeapAlloc-before.HeapAlloc)>>20, err)
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
