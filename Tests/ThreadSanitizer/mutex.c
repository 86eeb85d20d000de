// The thread sanitizer sees Swift's Mutex only where nobody has to wait: then its atomics are inlined
// into our code. Who waits is in libswiftSynchronization, which is not instrumented, and in the kernel,
// so what two threads did under one lock would pass for a race. Linked into what it watches, these two
// stand before that library's, and tell it.
//
// Nothing of ours is hidden: what no lock guards is found as before.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// Methods of Swift: `self` stands in the context register.
typedef __attribute__((swiftcall)) void lock_function(
    uint32_t thread, __attribute__((swift_context)) void *mutex);
typedef __attribute__((swiftcall)) void unlock_function(
    __attribute__((swift_context)) void *mutex);

// _MutexHandle._lockSlow(UInt32) and _MutexHandle._unlockSlow()
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

lock_function lock_slow __asm__(LOCK);
unlock_function unlock_slow __asm__(UNLOCK);

static lock_function *swift_lock;
static unlock_function *swift_unlock;

// Before there is a second thread.
__attribute__((constructor)) static void find_swift(void) {
    swift_lock = (lock_function *)dlsym(RTLD_NEXT, LOCK);
    swift_unlock = (unlock_function *)dlsym(RTLD_NEXT, UNLOCK);
}

__attribute__((swiftcall)) void lock_slow(
    uint32_t thread, __attribute__((swift_context)) void *mutex) {
    swift_lock(thread, mutex);
    __tsan_acquire(mutex);
}

__attribute__((swiftcall)) void unlock_slow(__attribute__((swift_context)) void *mutex) {
    __tsan_release(mutex);
    swift_unlock(mutex);
}
