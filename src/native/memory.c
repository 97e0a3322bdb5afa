/*
 * Memory that is not to reach a disk in a dump. It is not locked as a whole against swap (mlockall): V8 gives memory back with
 * MADV_DONTNEED, the kernel refuses that of locked memory with EINVAL, and V8 aborts. appliance/guard.ts has what there is instead.
 */
#include "values.h"
#include <sys/prctl.h>
#include <sys/resource.h>

napi_value forbid_dumps(napi_env env, napi_callback_info info) {
  (void)info;
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) < 0) return failed(env, "setrlimit", "RLIMIT_CORE");
  /* The limit does not hold where the kernel hands dumps to a program (core(5)); this does. */
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? failed(env, "prctl", "PR_SET_DUMPABLE") : NULL;
}
