//go:build !(linux && amd64)

package filter

import "testing"

const noKernel = "the running kernel is a witness on linux/amd64 only; the recorded verdicts stand in"

// askKernel skips: the numbers of the child's own calls are those of linux/amd64.
func askKernel(t *testing.T, _, _ []Program) []byte {
	t.Skip(noKernel)
	return nil
}

func askLoader(t *testing.T, _ [][]step, _ bool) [][]int32 {
	t.Skip(noKernel)
	return nil
}

func hasSysAdmin(t *testing.T) bool {
	t.Skip(noKernel)
	return false
}

func hasNoNewPrivs(t *testing.T) bool {
	t.Skip(noKernel)
	return false
}
