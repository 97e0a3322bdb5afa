/* Input devices (evdev): opened, told apart, asked how they stand. watch() hands on their events, whole struct input_event alone. */
#define _GNU_SOURCE
#include "values.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATH_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/"

enum {
  LONGEST_PATH = 256,
  LONGEST_NAME = 256,
  /* Bytes of a bitmap with one bit for each code. */
  KEYS = KEY_CNT / 8,
  SWITCHES = SW_CNT / 8 + 1
};

bool is_input(int fd) {
  int version;
  return ioctl(fd, EVIOCGVERSION, &version) == 0;
}

napi_value open_input(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char path[LONGEST_PATH];
  arguments(env, info, 1, values);
  if (!text(env, values[0], PATH_CHARACTERS, "path must be a device's: 1 to 255 letters, digits, and _ . - /", path, sizeof path)) return NULL;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return failed(env, "open", path);
  return is_input(fd) ? number_value(env, fd) : failed_with(env, fd, "ioctl", path);
}

/* Adds object[name]; false with the error pending. */
static bool put(napi_env env, napi_value object, const char *name, napi_value value) {
  return value && napi_set_named_property(env, object, name, value) == napi_ok;
}

static napi_value bitmap(napi_env env, const uint8_t *bits, size_t size) {
  napi_value value = NULL;
  napi_create_buffer_copy(env, size, bits, NULL, &value);
  return value;
}

napi_value input_identity(napi_env env, napi_callback_info info) {
  napi_value values[1], identity, name_value;
  struct input_id id;
  char name[LONGEST_NAME] = "";
  int fd;
  arguments(env, info, 1, values);
  if (!descriptor(env, values[0], &fd)) return NULL;
  /* One byte is kept for the end: a name that is too long is cut, and then has none. */
  if (ioctl(fd, EVIOCGID, &id) < 0 || ioctl(fd, EVIOCGNAME(sizeof name - 1), name) < 0) return failed(env, "ioctl", NULL);
  if (napi_create_object(env, &identity) != napi_ok ||
      napi_create_string_latin1(env, name, NAPI_AUTO_LENGTH, &name_value) != napi_ok ||
      !put(env, identity, "name", name_value) || !put(env, identity, "bus", number_value(env, id.bustype))) return NULL;
  return identity;
}

napi_value input_state(napi_env env, napi_callback_info info) {
  napi_value values[1], state;
  uint8_t keys[KEYS] = {0}, keys_on[KEYS] = {0}, switches[SWITCHES] = {0}, switches_on[SWITCHES] = {0};
  int fd;
  arguments(env, info, 1, values);
  if (!descriptor(env, values[0], &fd)) return NULL;
  if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) < 0 || ioctl(fd, EVIOCGBIT(EV_SW, sizeof switches), switches) < 0 ||
      ioctl(fd, EVIOCGKEY(sizeof keys_on), keys_on) < 0 || ioctl(fd, EVIOCGSW(sizeof switches_on), switches_on) < 0)
    return failed(env, "ioctl", NULL);
  if (napi_create_object(env, &state) != napi_ok || !put(env, state, "keys", bitmap(env, keys, sizeof keys)) ||
      !put(env, state, "keysOn", bitmap(env, keys_on, sizeof keys_on)) ||
      !put(env, state, "switches", bitmap(env, switches, sizeof switches)) ||
      !put(env, state, "switchesOn", bitmap(env, switches_on, sizeof switches_on))) return NULL;
  return state;
}
