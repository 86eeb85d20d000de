#pragma once
#include <stddef.h>
int posix_memalign(void **out, size_t alignment, size_t length);
void free(void *memory);
_Noreturn void exit(int status);
