/* Memory that is not to reach a disk: neither by swap nor in a dump. */
#define _GNU_SOURCE
#include "values.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

napi_value lock_memory(napi_env env, napi_callback_info info) {
  (void)info;
  /*
   * Locked address space counts against the limit in full, used or not, and V8 reserves gigabytes. Below "unlimited" a lock that
   * is granted now is a mapping refused later, in the middle of work, and the process' end. So all or nothing.
   */
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0) return failed(env, "getrlimit", "RLIMIT_MEMLOCK");
  if (limit.rlim_cur != RLIM_INFINITY && setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0)
    return failed(env, "setrlimit", "RLIMIT_MEMLOCK");
  /* ONFAULT: what is reserved and never touched takes no memory. */
  return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? failed(env, "mlockall", NULL) : NULL;
}

napi_value forbid_dumps(napi_env env, napi_callback_info info) {
  (void)info;
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) < 0) return failed(env, "setrlimit", "RLIMIT_CORE");
  /* The limit does not hold where the kernel hands dumps to a program (core(5)); this does. */
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? failed(env, "prctl", "PR_SET_DUMPABLE") : NULL;
}
