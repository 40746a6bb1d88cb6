package main

import (
	"syscall"
	"unsafe"
)

// ioctl with a pointer to one 32-bit argument.
func ioctl(descriptor uintptr, request uintptr, argument uint32) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, descriptor, request, uintptr(unsafe.Pointer(&argument))); errno != 0 {
		return errno
	}
	return nil
}
