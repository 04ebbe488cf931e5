//! Who hands out memory where the C library is musl: its own takes more than twice as long where much is allocated.

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
