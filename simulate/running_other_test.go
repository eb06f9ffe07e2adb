//go:build !(linux && amd64)

package simulate

import "testing"

// askKernel skips: the numbers of the child's own calls are those of linux/amd64.
func askKernel(t *testing.T, _ []trial) [][]int {
	t.Skip("the running kernel is a witness on linux/amd64 only; the recorded outcomes stand in")
	return nil
}
