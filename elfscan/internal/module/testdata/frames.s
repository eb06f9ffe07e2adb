# Frame descriptions in every form that linkers and assemblers have been seen to write, and some
# that must be passed over.
	.text
	.globl _start
_start:
f0:	.skip 16, 0x90
f1:	.skip 16, 0x90
f2:	.skip 16, 0x90
f3:	.skip 16, 0x90
f4:	.skip 16, 0x90
f5:	.skip 16, 0x90
f6:	.skip 16, 0x90
f7:	.skip 16, 0x90
f8:	.skip 16, 0x90
f9:	.skip 16, 0x90

	.section .eh_frame, "a", @progbits
# A CIE: its number, version, augmentation, and what follows the return address register.
	.macro cie n, version, augmentation, data:vararg
c\n:	.long c\n\()e - c\n - 4
	.long 0
	.byte \version
	.asciz "\augmentation"
	.uleb128 1
	.sleb128 -8
	.byte 16
	.ifnb \data
	.uleb128 c\n\()e - c\n\()d
c\n\()d: .byte \data
	.endif
	.balign 4, 0
c\n\()e:
	.endm
# An FDE up to its addresses, and its end.
	.macro fde n, cie
d\n:	.long d\n\()e - d\n - 4
	.long . - c\cie
	.endm
	.macro end n
	.balign 4, 0
d\n\()e:
	.endm

	cie 0, 1, ""
	fde 0, 0
	.quad f0, 16
	end 0
	cie 1, 1, "zR", 0x1b	# pcrel, sdata4
	fde 1, 1
	.long f1 - ., 16
	.byte 0
	end 1
	cie 2, 1, "zR", 0x1c	# pcrel, sdata8
	fde 2, 2
	.quad f2 - ., 16
	.byte 0
	end 2
	cie 3, 3, "zR", 0x03	# udata4
	fde 3, 3
	.long f3, 16
	.byte 0
	end 3
	cie 4, 1, "zPLR", 0x03, 0, 0, 0, 0, 0x1b, 0x0b	# a personality before; sdata4
	fde 4, 4
	.long f4, 16
	.byte 4, 0, 0, 0, 0
	end 4
	cie 5, 1, "zRS", 0x1b	# of a signal handler
	fde 5, 5
	.long f5 - ., 16
	.byte 0
	end 5
	cie 6, 1, "zRB", 0x04	# udata8
	fde 6, 6
	.quad f6, 16
	.byte 0
	end 6
	fde 7, 1	# the CIE of an earlier one
	.long f7 - ., 16
	.byte 0
	end 7
	fde 8, 1	# no code
	.long f8 - ., 0
	.byte 0
	end 8
	fde 9, 1	# twice the same
	.long f7 - ., 16
	.byte 0
	end 9
	fde 10, 1	# not in order
	.long f0 - ., 8
	.byte 0
	end 10
	cie 11, 1, "z"	, 0
	fde 11, 11
	.quad f9, 8
	.byte 0
	end 11
	.long 0
