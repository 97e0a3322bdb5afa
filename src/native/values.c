/* Values that come from JavaScript, and errors that go there; values.h says what each function does. */
#include "values.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

napi_value system_error(napi_env env, const char *syscall, const char *about, int number) {
  /* What TUN says of an interface that was deleted; Node has no name for that number. */
  if (number == EBADFD) number = ENODEV;
  char name[64], reason[128], message[320];
  uv_err_name_r(-number, name, sizeof name);
  uv_strerror_r(-number, reason, sizeof reason);
  snprintf(message, sizeof message, about ? "%s: %s, %s '%s'" : "%s: %s, %s", name, reason, syscall, about);
  napi_value code, text, error = NULL, value;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_create_error(env, code, text, &error) != napi_ok) return NULL;
  if (napi_create_int32(env, -number, &value) == napi_ok) napi_set_named_property(env, error, "errno", value);
  if (napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(env, error, "syscall", value);
  return error;
}

napi_value failed(napi_env env, const char *syscall, const char *about) {
  napi_value error = system_error(env, syscall, about, errno);
  if (error) napi_throw(env, error);
  return NULL;
}

napi_value failed_with(napi_env env, int fd, const char *syscall, const char *about) {
  int number = errno;
  close(fd);
  errno = number;
  return failed(env, syscall, about);
}

bool refuse(napi_env env, const char *must) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", must);
  return false;
}

void arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

bool integer(napi_env env, napi_value value, int least, int most, const char *must, int *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= least && number <= most) ||
      number != (int)number) return refuse(env, must);
  *out = (int)number;
  return true;
}

bool descriptor(napi_env env, napi_value value, int *out) {
  return integer(env, value, 0, INT32_MAX, "fd must be a file descriptor: an integer of 0 or more", out);
}

bool function(napi_env env, napi_value value, const char *must) {
  napi_valuetype type;
  return (napi_typeof(env, value, &type) == napi_ok && type == napi_function) || refuse(env, must);
}

bool text(napi_env env, napi_value value, const char *allowed, const char *must, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length == 0 || length >= size ||
      napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok || strspn(out, allowed) != length)
    return refuse(env, must);
  return true;
}

bool bytes(napi_env env, napi_value value, const char *must, void **data, size_t *length) {
  bool is_buffer = false;
  if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer ||
      napi_get_buffer_info(env, value, data, length) != napi_ok) return refuse(env, must);
  return true;
}

napi_value number_value(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}
