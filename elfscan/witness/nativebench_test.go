package witness

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/profcheck/profcheck/elfscan"
)

// nativeBenchPath is what the scan of native programs is measured on: 18 modules with more than
// 10 MB of code.
const nativeBenchPath = "/usr/bin/redis-server"

// BenchmarkNative measures the scan of redis-server with all its libraries: in this process, and as
// the whole command that a user waits for, each with nothing kept from earlier runs (cold) and with
// all (warm), beside objdump -d of the same files.
func BenchmarkNative(b *testing.B) {
	if _, err := os.Stat(nativeBenchPath); err != nil {
		skip(b, "%v", err)
	}
	b.Run("scan/cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			scanBench(b, elfscan.Options{})
		}
	})
	b.Run("scan/warm", func(b *testing.B) {
		o := elfscan.Options{CacheDir: b.TempDir()}
		scanBench(b, o)
		b.ReportAllocs()
		for b.Loop() {
			scanBench(b, o)
		}
	})
	// The two places of setxid in glibc are unresolved, which is not what is measured.
	command := []string{profcheckCommand(b), "scan", "--allow-incomplete", nativeBenchPath}
	b.Run("command/cold", func(b *testing.B) { commandBench(b, append(command[:4:4], "--no-cache"), false) })
	b.Run("command/warm", func(b *testing.B) { commandBench(b, command, true) })
	var files []string
	size := int64(0)
	for _, m := range scanBench(b, elfscan.Options{}).Modules {
		files = append(files, m.Path)
		if info, err := os.Stat(m.Path); err == nil {
			size += info.Size()
		}
	}
	b.Run(fmt.Sprintf("objdump/%d-modules-%.1fMB", len(files), float64(size)/1e6), func(b *testing.B) {
		commandBench(b, append([]string{needTool(b, "objdump"), "-d"}, files...), false)
	})
}

func scanBench(b *testing.B, o elfscan.Options) *elfscan.Result {
	b.Helper()
	res, err := o.Scan(nativeBenchPath)
	if err != nil {
		b.Fatal(err)
	}
	return res
}

// commandBench measures whole runs of a command, with a folder for caches of its own; warm is what
// comes after one that is not counted.
func commandBench(b *testing.B, argv []string, warm bool) {
	b.Helper()
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	if warm {
		measure(b, argv)
	}
	var peak float64
	var took time.Duration
	for b.Loop() {
		d, kb := measure(b, argv)
		took += d
		peak = max(peak, kb)
	}
	b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/op")
	b.ReportMetric(peak/1024, "peakMB")
}
