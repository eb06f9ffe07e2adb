package profile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// errnos fills in the errnos that the file gives as words, where the reader takes them: a word, or
// a number in quotes, comes before the number of the other field (pkg/seccomp getErrno).
func (r *resolver) errnos() error {
	r.defaultErrno = r.p.DefaultErrnoRet
	r.ruleErrno = make([]*uint32, len(r.p.Rules))
	for i := range r.p.Rules {
		r.ruleErrno[i] = r.p.Rules[i].ErrnoRet
	}
	if r.maker == RuntimeKernel && r.p.rulesFormat() == Podman {
		r.reader = podmanReader // that target takes a file for what its format means
	}
	if !r.reader.errnoNames {
		return nil
	}
	var err error
	if r.defaultErrno, err = r.errnoWord(r.p.DefaultErrno, r.defaultErrno, "defaultErrno"); err != nil {
		return err
	}
	for i := range r.p.Rules {
		path := fmt.Sprintf("syscalls[%d].errno", i)
		if r.ruleErrno[i], err = r.errnoWord(r.p.Rules[i].Errno, r.ruleErrno[i], path); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) errnoWord(word *ErrnoWord, otherwise *uint32, path string) (*uint32, error) {
	if word == nil {
		return otherwise, nil
	}
	if !word.IsString {
		return nil, r.loadError(BadErrno, word.Pos, path, "want an errno as a string, found %s", word.Text)
	}
	if word.Text == "" {
		return otherwise, nil
	}
	if n, err := strconv.ParseUint(word.Text, 10, 32); err == nil {
		v := uint32(n)
		return &v, nil
	}
	v, ok := podmanErrno(word.Text, r.Target.Host)
	if !ok {
		return nil, r.loadError(BadErrno, word.Pos, path, "unknown errno %q", clip(word.Text))
	}
	return &v, nil
}

// value is the action of a rule with the errno that the target reads.
func (r *resolver) value(rule *Rule) filter.Action {
	return r.actionValue(rule.Action, r.ruleErrno[rule.Index])
}

// actionValue is an action with an errno; gVisor has only one.
func (r *resolver) actionValue(a ActionName, errno *uint32) filter.Action {
	if r.maker == RuntimeGVisor {
		errno = nil
	}
	return a.Value(errno)
}

// notInPodman lists the errnos that Podman's table lacks (pkg/seccomp errno_list.go), among them the
// common EINTR.
var notInPodman = strings.Fields(`EADV EBADE EBADFD EBADR EBADRQC EBADSLT EBFONT ECHRNG ECOMM EDEADLOCK
	EDOTDOT EHWPOISON EINTR EISNAM EKEYEXPIRED EKEYREJECTED EKEYREVOKED EL2HLT EL2NSYNC EL3HLT EL3RST
	ELIBACC ELIBBAD ELIBEXEC ELIBMAX ELIBSCN ELNRNG EMULTIHOP ENAVAIL ENOANO ENOCSI ENODATA ENOKEY
	ENOLINK ENONET ENOPKG ENOSR ENOSTR ENOTNAM ENOTUNIQ EPROTO EREMCHG EREMOTEIO ERESTART ERFKILL
	ESRMNT ESTRPIPE ETIME EUCLEAN EUNATCH EWOULDBLOCK EXFULL`)

// mipsErrnos gives the numbers of MIPS where they are not those of other ABIs (arch/mips/include/
// uapi/asm/errno.h). Podman takes the numbers of the host.
var mipsErrnos = map[string]uint32{
	"ENOMSG": 35, "EIDRM": 36, "EDEADLK": 45, "ENOLCK": 46, "EBADMSG": 77, "ENAMETOOLONG": 78, "EOVERFLOW": 79,
	"EILSEQ": 88, "ENOSYS": 89, "ELOOP": 90, "ENOTEMPTY": 93, "EUSERS": 94, "ENOTSOCK": 95, "EDESTADDRREQ": 96,
	"EMSGSIZE": 97, "EPROTOTYPE": 98, "ENOPROTOOPT": 99, "EPROTONOSUPPORT": 120, "ESOCKTNOSUPPORT": 121,
	"EOPNOTSUPP": 122, "ENOTSUP": 122, "EPFNOSUPPORT": 123, "EAFNOSUPPORT": 124, "EADDRINUSE": 125, "EADDRNOTAVAIL": 126,
	"ENETDOWN": 127, "ENETUNREACH": 128, "ENETRESET": 129, "ECONNABORTED": 130, "ECONNRESET": 131, "ENOBUFS": 132,
	"EISCONN": 133, "ENOTCONN": 134, "ESHUTDOWN": 143, "ETOOMANYREFS": 144, "ETIMEDOUT": 145, "ECONNREFUSED": 146,
	"EHOSTDOWN": 147, "EHOSTUNREACH": 148, "EALREADY": 149, "EINPROGRESS": 150, "ESTALE": 151, "ECANCELED": 158,
	"ENOMEDIUM": 159, "EMEDIUMTYPE": 160, "EOWNERDEAD": 165, "ENOTRECOVERABLE": 166, "EDQUOT": 1133,
}

// podmanErrno looks up a word of Podman's table for a host.
func podmanErrno(word string, host *syscalls.Arch) (uint32, bool) {
	for _, w := range notInPodman {
		if w == word {
			return 0, false
		}
	}
	if strings.HasPrefix(host.GOARCH, "mips") {
		if n, ok := mipsErrnos[word]; ok {
			return n, true
		}
	}
	n, ok := filter.ErrnoNumber(word)
	return uint32(n), ok
}
