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
	for i := 0; ; i++ {
		next := f(i)
		if b.Len()+1+len(next)+len(suffix) > maxInput {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(next)
	}
	return b.String() + suffix
}

// long is a rule with as many conditions as one may have.
func long(names string, i int) string {
	var args []string
	for j := range maxArgs {
		args = append(args, fmt.Sprintf(`{"op":"SCMP_CMP_NE","value":%d}`, i*maxArgs+j))
	}
	action := []string{"SCMP_ACT_ALLOW", "SCMP_ACT_TRAP"}[i%2]
	return fmt.Sprintf(`{"action":%q,"names":["%s"],"args":[%s]}`, action, names, strings.Join(args, ","))
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
		"alternatives":           filled(head, `]}`, func(i int) string { return long("ioctl", i) }),
		"long rules, many names": filled(head, `]}`, func(i int) string { return long(strings.Join(all[:300], `","`), i) }),
		"unknown keys":           filled(`{`, `}`, func(i int) string { return fmt.Sprintf(`"k%d":0`, i) }),
		"empty arrays":           filled(`{"x":[`, `]}`, func(int) string { return "[]" }),
		"lines":                  filled(`{"x":[`, `]}`, func(int) string { return "\n0" }),
		"empty rules":            filled(head, `]}`, func(int) string { return `{"action":"SCMP_ACT_LOG"}` }),
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
			for _, who := range []string{RuntimeRunc, RuntimeKernel} {
				r, err := p.Resolve(Target{Runtime: who, ABI: arch(t, "x86_64")})
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
				if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
					t.Errorf("%s: %d MiB allocated", who, used>>20)
				}
				t.Logf("%s: %v, %d MiB allocated, %v", who, time.Since(begin).Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// A rule may have maxArgs conditions and no more; both ends are cheap.
func TestArgsOfOneRule(t *testing.T) {
	rule := func(n int) string {
		args := strings.TrimSuffix(strings.Repeat(`{"index":1,"op":"SCMP_CMP_NE","value":7},`, n), ",")
		return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[` + "\n" + `{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[` + args + `]}]}`
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Parse("p", []byte(rule(maxArgs)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Resolve(Target{Runtime: RuntimeKernel, ABI: arch(t, "x86_64")}); err != nil {
		t.Error(err)
	}
	want := "profile p:2:2677: syscalls[0].args: more than 64 conditions in one rule"
	for _, n := range []int{maxArgs + 1, 20000} {
		if _, err := Parse("p", []byte(rule(n))); err == nil || err.Error() != want {
			t.Errorf("%d: %v", n, err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB allocated", used>>20)
	}
}
