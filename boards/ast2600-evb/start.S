/*
 * start.S - from reset to main(): in ARM state, at whatever address flash or a loader put the image, on every processor.
 *
 * Expects memory that works (on silicon a loader's task), MMU and data cache off. Copies code and data to where they are linked, clears bss, maps
 * memory, and calls main(). Ends in exceptions that are told on the console (trap.c).
 */
    .syntax unified
    .arch armv7ve
    .arm

    .equ MODE_SVC, 0x13
    .equ MODE_ABT, 0x17
    .equ MODE_UND, 0x1b
    .equ MODE_IRQ, 0x12
    .equ MODE_FIQ, 0x11

    .section .start, "ax"
    .global start
start:
    cpsid   aif, #MODE_SVC
    mrc     p15, 0, r0, c0, c0, 5       /* MPIDR */
    tst     r0, #0xff                   /* which processor of the cluster; the cluster's number is 15 */
    beq     boot_processor
parked:
    wfi
    b       parked

boot_processor:
    mrc     p15, 0, r0, c1, c0, 0       /* SCTLR: MMU, caches, alignment check, high vectors off */
    bic     r0, r0, #0x1000
    bic     r0, r0, #0x2000
    bic     r0, r0, #0x0007
    mcr     p15, 0, r0, c1, c0, 0
    isb
    adr     r0, start                   /* where the image is */
    ldr     r1, =link_code_start
    ldr     r2, =link_code_end
    bl      copy
    ldr     r1, =link_data_start
    ldr     r2, =link_data_end
    bl      copy                        /* the data follows the code */
    ldr     pc, =linked

/* From r0 to r1 ... r2, all multiples of 32. */
copy:
    cmp     r0, r1
    addeq   r0, r0, r2
    subeq   r0, r0, r1
    bxeq    lr
1:  cmp     r1, r2
    bxhs    lr
    ldmia   r0!, {r3-r6, r8-r11}
    stmia   r1!, {r3-r6, r8-r11}
    b       1b

linked:
    ldr     r1, =link_data_end
    ldr     r2, =link_bss_end
    mov     r3, #0
2:  cmp     r1, r2
    strlo   r3, [r1], #4
    blo     2b
    ldr     r0, =link_trap_stack
    cps     #MODE_ABT
    mov     sp, r0
    cps     #MODE_UND
    mov     sp, r0
    cps     #MODE_IRQ
    mov     sp, r0
    cps     #MODE_FIQ
    mov     sp, r0
    cps     #MODE_SVC
    ldr     sp, =link_stack
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0      /* VBAR */
    bl      cpu_map
    bl      main
    b       parked

    .ltorg
    .balign 32
vectors:
    b       start
    b       on_undefined
    b       on_svc
    b       on_prefetch
    b       on_data
    b       .
    b       on_irq
    b       on_fiq

/* All registers of the moment onto the trap stack; then trap_report(registers, spsr, kind, stack and return address of SVC). */
    .macro handler name, kind
\name:
    stmdb   sp!, {r0-r12, lr}
    mov     r2, #\kind
    b       report
    .endm
    handler on_undefined, 0
    handler on_svc, 1
    handler on_prefetch, 2
    handler on_data, 3
    handler on_irq, 4
    handler on_fiq, 5

report:
    mov     r0, sp
    mrs     r1, spsr
    cps     #MODE_SVC
    mov     r3, sp
    mov     r4, lr
    mov     sp, r0
    stmdb   sp!, {r4, r5}
    bl      trap_report
    b       parked

    .section .bss.stack, "aw", %nobits
    .balign 8
    .global link_stack_bottom, link_stack
link_stack_bottom:
    .space  14336
link_stack:
    .space  1024
link_trap_stack:
