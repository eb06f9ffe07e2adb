package simulate

import (
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// BenchmarkPartitionMoby asks for the regions of all numbers, for the architecture that each of the
// 55 filters was made for; mean-ns and max-ns are for one filter.
func BenchmarkPartitionMoby(b *testing.B) {
	filters := mobyFilters(b)
	names := sortedNames(filters)
	var longest time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			start := time.Now()
			Partition(OfPrograms(filters[name]), mobyArch(b, name))
			longest = max(longest, time.Since(start))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(names)), "mean-ns")
	b.ReportMetric(float64(longest.Nanoseconds()), "max-ns")
}

func openDefault(b testing.TB) *profile.Profile {
	b.Helper()
	p, err := profile.Open("docker-default")
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// dockerDefault makes the filter of the built-in profile for an architecture and its compat ABIs.
func dockerDefault(b testing.TB, p *profile.Profile, arch *syscalls.Arch, caps ...string) (*profile.Resolved, filter.Program) {
	b.Helper()
	t := p.DefaultTarget(arch)
	t.Caps = append(t.Caps, caps...)
	r, err := p.Resolve(t)
	if err != nil {
		b.Fatal(err)
	}
	program, err := r.Compile()
	if err != nil {
		b.Fatal(err)
	}
	return r, program
}

// BenchmarkTableDockerDefault is the work of a table of Docker's default profile for all
// architectures: read, resolve, compile, ask.
func BenchmarkTableDockerDefault(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p := openDefault(b)
		for _, arch := range syscalls.Arches() {
			_, program := dockerDefault(b, p, arch)
			if len(Partition(OfPrograms(program), arch)) == 0 {
				b.Fatal("no ranges")
			}
		}
	}
}

// BenchmarkPartitionAll is the part of it that is done here.
func BenchmarkPartitionAll(b *testing.B) {
	p := openDefault(b)
	var programs []filter.Program
	for _, arch := range syscalls.Arches() {
		_, program := dockerDefault(b, p, arch)
		programs = append(programs, program)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i, arch := range syscalls.Arches() {
			Partition(OfPrograms(programs[i]), arch)
		}
	}
}

// BenchmarkDiffDockerDefault compares two filters of Docker's default profile, with and without a
// capability, for all architectures.
func BenchmarkDiffDockerDefault(b *testing.B) {
	p := openDefault(b)
	var old, new []filter.Program
	for _, arch := range syscalls.Arches() {
		_, before := dockerDefault(b, p, arch)
		_, after := dockerDefault(b, p, arch, "CAP_SYS_ADMIN")
		old, new = append(old, before), append(new, after)
	}
	b.ReportAllocs()
	for b.Loop() {
		changes := 0
		for i, arch := range syscalls.Arches() {
			d, err := Diff(OfPrograms(old[i]), OfPrograms(new[i]), []*syscalls.Arch{arch})
			if err != nil {
				b.Fatal(err)
			}
			changes += len(d.Changes)
		}
		if changes == 0 {
			b.Fatal("no change")
		}
	}
}

// BenchmarkProveCompiled proves that compiled filters are what was meant.
func BenchmarkProveCompiled(b *testing.B) {
	arch := syscalls.ByName("x86_64")
	r, program := dockerDefault(b, openDefault(b), arch)
	meant := r.Meant()
	b.ReportAllocs()
	for b.Loop() {
		d, err := Diff(OfRules(meant), OfPrograms(program), []*syscalls.Arch{arch})
		if err != nil || d.Relation() != RelationEqual {
			b.Fatal(d, err)
		}
	}
}

// BenchmarkPartitionHostile is the most that programs made for it can take.
func BenchmarkPartitionHostile(b *testing.B) {
	arch := syscalls.ByName("x86_64")
	programs := hostileToPartitions()
	for _, name := range sortedNames(programs) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Partition(OfPrograms(programs[name]), arch)
			}
		})
	}
}
