/*
 * niac's addon: the system calls niac needs and Node has no function for. A TUN device, packet sockets, a transparent listener;
 * input devices; memory that is never dumped.
 * Thin on purpose: what is done with the packets is TypeScript's. index.ts says what each function does.
 *
 *   values.c       values that come from JavaScript, errors that go there
 *   descriptors.c  open, filter, count, write, close; the module's list of functions
 *   watch.c        packets handed on as the event loop finds them
 *   input.c        input devices: which one it is, how its keys and switches stand
 *   memory.c       memory that is never dumped
 *   notify.c       a word to the service manager
 *
 * Every argument is checked; a wrong one throws a TypeError with code ERR_INVALID_ARG_VALUE. What the kernel refuses throws an
 * Error with code, errno and syscall, as Node's own do. Nothing is global, so that a worker may load it too.
 */
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>

/* The error of a system call, NULL where none can be made. `about`: the interface or address it was for, or NULL. */
napi_value system_error(napi_env env, const char *syscall, const char *about, int number);

/* Throw errno's; return NULL, for the caller to return. failed_with closes what was half made, and keeps errno from before. */
napi_value failed(napi_env env, const char *syscall, const char *about);
napi_value failed_with(napi_env env, int fd, const char *syscall, const char *about);

/* Throws that an argument is not what it must be; returns false. */
bool refuse(napi_env env, const char *must);

/* Missing ones become undefined, which every check below refuses. */
void arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

/* Each true with what it read, or false with the error thrown. */
bool integer(napi_env env, napi_value value, int least, int most, const char *must, int *out);
bool descriptor(napi_env env, napi_value value, int *out);
bool function(napi_env env, napi_value value, const char *must);
bool bytes(napi_env env, napi_value value, const char *must, void **data, size_t *length);
/* Of 1 to size - 1 characters, each one of `allowed`. */
bool text(napi_env env, napi_value value, const char *allowed, const char *must, char *out, size_t size);

napi_value number_value(napi_env env, double number);

/* Whether it is an input device; errno where not. */
bool is_input(int fd);

napi_value watch(napi_env env, napi_callback_info info);
napi_value open_input(napi_env env, napi_callback_info info);
napi_value input_identity(napi_env env, napi_callback_info info);
napi_value input_state(napi_env env, napi_callback_info info);
napi_value forbid_dumps(napi_env env, napi_callback_info info);
napi_value notify(napi_env env, napi_callback_info info);
