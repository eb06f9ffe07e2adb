package witness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/elfscan"
)

// profilerVersion is the release of go-seccomp-bpf whose seccomp-profiler is measured beside us.
const profilerVersion = "v1.6.0"

// benchPrograms are what the scan is measured on: the smallest, a usual and a large program.
func benchPrograms() []program {
	return []program{*truthProgram("hello"), *truthProgram("httpd"), *truthProgram("caddy")}
}

// BenchmarkScan is the scan alone, in this process.
func BenchmarkScan(b *testing.B) {
	for _, p := range benchPrograms() {
		b.Run(p.Name, func(b *testing.B) {
			bin := build(b, p)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := elfscan.Scan(bin); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCommand is what a user waits for: the whole command with its start, the time in ms and
// the largest resident set of the process and its children in MB. The commands of others read the
// same file: objdump decodes its text, seccomp-profiler makes a profile from it.
func BenchmarkCommand(b *testing.B) {
	commands := []struct {
		name string
		argv func(b *testing.B, bin string) []string
	}{
		{"profcheck-scan", func(b *testing.B, bin string) []string { return []string{profcheckCommand(b), "scan", bin} }},
		{"profcheck-check", func(b *testing.B, bin string) []string { return []string{profcheckCommand(b), bin, "docker-default"} }},
		{"objdump", func(b *testing.B, bin string) []string { return []string{needTool(b, "objdump"), "-d", bin} }},
		{"seccomp-profiler", func(b *testing.B, bin string) []string {
			return []string{profilerCommand(b), "-format", "config", "-out", os.DevNull, bin}
		}},
	}
	for _, c := range commands {
		for _, p := range benchPrograms() {
			b.Run(c.name+"/"+p.Name, func(b *testing.B) {
				argv := c.argv(b, build(b, p))
				var peak float64
				var took time.Duration
				for b.Loop() {
					d, kb := measure(b, argv)
					took += d
					peak = max(peak, kb)
				}
				b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/op")
				b.ReportMetric(peak/1024, "peakMB")
			})
		}
	}
}

// measure runs a command and returns its time and its peak memory in KB. GNU time stands between,
// as a child's peak starts at that of the process that it was started from.
func measure(b *testing.B, argv []string) (time.Duration, float64) {
	b.Helper()
	out := filepath.Join(b.TempDir(), "time")
	cmd := exec.Command(needTool(b, "time"), append([]string{"-q", "-f", "%M", "-o", out, "--"}, argv...)...)
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() != 1 || err != nil && !ok {
		b.Fatalf("%s: %v", strings.Join(argv, " "), err) // status 1 is an answer
	}
	text, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		b.Fatalf("%s: time says %q", strings.Join(argv, " "), text)
	}
	return took, kb
}

// profcheckCommand builds the command of this checkout.
func profcheckCommand(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "profcheck")
	cmd := exec.Command("go", "build", "-o", bin, "../../cmd/profcheck")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build profcheck: %v\n%s", err, out)
	}
	return bin
}

// profilerCommand installs elastic's seccomp-profiler into the cache.
func profilerCommand(b *testing.B) string {
	b.Helper()
	dir := cached(b, "seccomp-profiler-"+profilerVersion)
	bin := filepath.Join(dir, "seccomp-profiler")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	needNetwork(b, "seccomp-profiler")
	cmd := exec.Command("go", "install", "github.com/elastic/go-seccomp-bpf/cmd/seccomp-profiler@"+profilerVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("install seccomp-profiler: %v\n%s", err, out)
	}
	return bin
}
