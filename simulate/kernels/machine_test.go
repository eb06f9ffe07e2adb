package kernels

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A machine is a kernel and what it boots on.
type machine struct {
	Name    string // Debian's name of the architecture
	Package string // the package that depends on the newest kernel
	QEMU    []string
	Console string
	ABIs    []abi
	JIT     bool // the kernel translates filters to machine code if not told otherwise
	// OneWay is why the kernel is not booted a second time with the other setting of JIT; "" if it is.
	OneWay string
	Always bool // run without PROFCHECK_FULL
}

// An abi is a way to make calls on a machine.
type abi struct {
	Arch   string // syscalls' name
	GOARCH string // what guest is built for; "" where Go has no port and a script makes the calls
	// Sign: the kernel hands 32-bit registers to filters sign-extended to 64 bits.
	Sign bool
}

func (b abi) arch() *syscalls.Arch { return syscalls.ByName(b.Arch) }

var machines = []machine{
	{
		Name: "s390x", Package: "linux-image-s390x", Always: true,
		OneWay:  "Debian builds this kernel without the translation",
		QEMU:    []string{"qemu-system-s390x", "-M", "s390-ccw-virtio", "-cpu", "max", "-m", "1024"},
		Console: "ttysclp0",
		ABIs:    []abi{{Arch: "s390x", GOARCH: "s390x"}},
	},
	{
		Name: "arm64", Package: "linux-image-arm64", JIT: true, Always: true,
		QEMU:    []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-m", "1024"},
		Console: "ttyAMA0",
		ABIs:    []abi{{Arch: "aarch64", GOARCH: "arm64"}, {Arch: "arm", GOARCH: "arm"}},
	},
	{
		Name: "ppc64el", Package: "linux-image-powerpc64le",
		// Seen with net.core.bpf_jit_enable=1: the machine's slw and srw take six bits of X.
		OneWay:  "translated filters, which Debian does not enable, get 0 from a shift by an X of 32",
		QEMU:    []string{"qemu-system-ppc64", "-M", "pseries", "-m", "2048"},
		Console: "hvc0",
		ABIs:    []abi{{Arch: "ppc64le", GOARCH: "ppc64le"}},
	},
	{
		Name: "mipsel", Package: "linux-image-4kc-malta",
		QEMU:    []string{"qemu-system-mipsel", "-M", "malta", "-m", "512"},
		Console: "ttyS0",
		ABIs:    []abi{{Arch: "mipsel", GOARCH: "mipsle"}},
	},
	{
		Name: "mips64el", Package: "linux-image-5kc-malta",
		QEMU:    []string{"qemu-system-mips64el", "-M", "malta", "-cpu", "MIPS64R2-generic", "-m", "1024"},
		Console: "ttyS0",
		ABIs:    []abi{{Arch: "mipsel64", GOARCH: "mips64le"}, {Arch: "mipsel", GOARCH: "mipsle", Sign: true}, {Arch: "mipsel64n32"}},
	},
	{
		Name: "armhf", Package: "linux-image-armmp",
		// Seen with net.core.bpf_jit_enable=1: a shift by a register takes its eight low bits.
		OneWay:  "translated filters, which Debian does not enable, get 0 from a shift by an X whose low byte is 32 or more",
		QEMU:    []string{"qemu-system-arm", "-M", "virt", "-m", "1024"},
		Console: "ttyAMA0",
		ABIs:    []abi{{Arch: "arm", GOARCH: "arm"}},
	},
}

// seen is the call as a filter of this ABI sees it, when the registers hold d.
func (b abi) seen(d filter.Data) filter.Data {
	if b.arch().Bits == 32 {
		for i, v := range d.Args {
			d.Args[i] = uint64(uint32(v))
			if b.Sign {
				d.Args[i] = uint64(int32(v))
			}
		}
	}
	return d
}

func (b abi) order() binary.ByteOrder { return b.arch().Order() }

// Numbers that differ between architectures: MIPS took them from other systems.
func (b abi) mips() bool    { return len(b.Arch) > 4 && b.Arch[:4] == "mips" }
func (b abi) enosys() int   { return map[bool]int{false: 38, true: 89}[b.mips()] }
func (b abi) sigsys() int   { return map[bool]int{false: 31, true: 12}[b.mips()] }
func (b abi) threads() bool { return b.GOARCH != "" } // a process of a script has one thread and no handler

const sigkill = 9

// full reports whether all machines and the whole work are wanted.
func full() bool { return os.Getenv("PROFCHECK_FULL") != "" }

// missing skips the test for want of something, and fails it where nothing may be missing.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
