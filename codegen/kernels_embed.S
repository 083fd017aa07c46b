// The kernels' bitcode as read-only data of this library.
  .section .rodata
  .balign 16
  .globl weir_kernels_begin
weir_kernels_begin:
  .incbin WEIR_KERNELS_BC
  .globl weir_kernels_end
weir_kernels_end:
  .byte 0
  .section .note.GNU-stack,"",@progbits
