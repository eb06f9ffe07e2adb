package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// parseNumber reads a decimal, hex (0x), octal (0o) or binary (0b) number of 64 bits; a negative one
// gives its two's complement.
func parseNumber(word string) (uint64, error) {
	if rest, negative := strings.CutPrefix(word, "-"); negative {
		v, err := strconv.ParseUint(rest, 0, 64)
		if err != nil || v > 1<<63 {
			return 0, fmt.Errorf("%q is no 64-bit number", word)
		}
		return -v, nil
	}
	v, err := strconv.ParseUint(word, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no 64-bit number", word)
	}
	return v, nil
}

// isNumber tells a number from a name.
func isNumber(word string) bool {
	word = strings.TrimPrefix(word, "-")
	return word != "" && word[0] >= '0' && word[0] <= '9'
}

// parseNr reads a syscall number as seccomp_data.nr holds it: 32 bits, unsigned or signed, also as
// extended to 64 bits.
func parseNr(word string) (int32, error) {
	v, err := parseNumber(word)
	if err != nil || v > 1<<32-1 && (int64(v) < -1<<31 || int64(v) > 0) {
		return 0, usage("syscall number %q: not within 32 bits", word)
	}
	return int32(uint32(v)), nil
}

// parseSyscall reads a name or number on one ABI.
func parseSyscall(abi *syscalls.Arch, word string) (int32, error) {
	if isNumber(word) {
		return parseNr(word)
	}
	if nr, ok := abi.Number(word); ok {
		return nr, nil
	}
	if err := knownSyscall(word); err != nil {
		return 0, err
	}
	return 0, usage("syscall %s does not exist on %s", word, abi.Name)
}

// knownSyscall refuses a name that no ABI has.
func knownSyscall(word string) error {
	if syscalls.Known(word) {
		return nil
	}
	if near := syscalls.Nearest(word); near != "" {
		return usage("unknown syscall %q: did you mean %s?", word, near)
	}
	return usage("unknown syscall %q", word)
}

// parseArgs reads up to six arguments of a call. On an ABI with 32-bit registers a value must fit
// into them, as a signed or an unsigned number.
func parseArgs(abi *syscalls.Arch, list []string) (args [6]uint64, err error) {
	if len(list) > len(args) {
		return args, usage("%d arguments, and a syscall has at most %d", len(list), len(args))
	}
	for i, word := range list {
		v, err := parseNumber(word)
		if err != nil {
			return args, usage("argument %d: %w", i, err)
		}
		if abi.Bits == 32 && v>>32 != 0 {
			if int64(v) >= 0 || int64(v) < -1<<31 {
				return args, usage("argument %d: %s does not fit into the 32-bit registers of %s", i, word, abi.Name)
			}
			v = uint64(uint32(v))
		}
		args[i] = v
	}
	return args, nil
}
