package profile

import "github.com/profcheck/profcheck/syscalls"

// A member of a multiplexer's family, and the value of the multiplexer's first argument that
// stands for it (include/uapi/linux/net.h SYS_SOCKET and following, include/uapi/linux/ipc.h SEMOP
// and following).
var (
	socketFamily = map[string]uint64{
		"socket": 1, "bind": 2, "connect": 3, "listen": 4, "accept": 5, "getsockname": 6, "getpeername": 7,
		"socketpair": 8, "send": 9, "recv": 10, "sendto": 11, "recvfrom": 12, "shutdown": 13, "setsockopt": 14,
		"getsockopt": 15, "sendmsg": 16, "recvmsg": 17, "accept4": 18, "recvmmsg": 19, "sendmmsg": 20,
	}
	ipcFamily = map[string]uint64{
		"semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13,
		"msgctl": 14, "shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
	}
)

// multiplexer returns the call that carries name on an ABI, and the first argument that it takes
// for it; "" if name has no multiplexer there. It is what libseccomp does for every rule on such a
// name, besides the direct call where the ABI has one: the rule also becomes one on the
// multiplexer, its condition on argument 0 replaced. Its other conditions stay as they are,
// although they then look at registers of the multiplexer (measured on 2.5.4 and 2.6.1).
func multiplexer(a *syscalls.Arch, name string) (call string, value uint64) {
	if v, ok := socketFamily[name]; ok && a.Socketcall {
		return "socketcall", v
	}
	if v, ok := ipcFamily[name]; ok && a.IPC {
		return "ipc", v
	}
	return "", 0
}
