package profile

import (
	"errors"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// Whatever the text: no panic; a profile that is read resolves for every target or gives a typed
// error; what resolves compiles to a filter that the kernel would load, or is too long.
func FuzzParse(f *testing.F) {
	for _, b := range Builtins() {
		f.Add(b.Source())
	}
	for _, seed := range []string{
		"", "{}", "null", "[", `{"a":"\u00e9"}`, positions, mixed, rule(`{"name":"write","action":"SCMP_ACT_TRACE","errnoRet":65537}`),
		arg(`{"index":1,"op":"SCMP_CMP_MASKED_EQ","value":18446744073709551615,"valueTwo":3}`),
		`{"ociVersion":"1.0","linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG","architectures":["SCMP_ARCH_MIPS"]}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p", data)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Pos.Line < 1 || pe.Pos.Column < 1 {
				t.Fatalf("no place: %v", err)
			}
			return
		}
		for _, runtime := range []string{RuntimeDocker, RuntimeRunc, RuntimeKernel} {
			for _, abi := range []string{"x86_64", "s390x"} {
				r, err := p.Resolve(Target{Runtime: runtime, ABI: syscalls.ByName(abi)})
				if err != nil {
					var load *LoadError
					if !errors.As(err, &load) {
						t.Fatalf("untyped: %v", err)
					}
					continue
				}
				var size *SizeError
				if _, err := r.Compile(); err != nil && !errors.As(err, &size) {
					t.Fatal(err)
				}
			}
		}
	})
}
