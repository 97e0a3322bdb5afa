/* watch(): packets of a TUN device or a packet socket, events of an input device, handed on as the event loop finds them. */
#define _GNU_SOURCE
#include "values.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
  LONGEST = 9216, /* bytes of a packet handed on; a jumbo frame fits */
  MACS = 2 * ETH_ALEN,
  TAG = 4, /* bytes of a VLAN tag */
  MOST_PER_TURN = 1024
};

typedef struct {
  uv_poll_t poll;
  napi_env env;
  napi_ref self, on_packets, on_error;
  napi_async_cleanup_hook_handle at_exit;
  int fd, per_turn;
  bool is_packet, closing;
  /* Freed when libuv and the garbage collector have both let go of it. */
  bool closed, collected;
  uint8_t space[TAG + LONGEST];
} watcher;

static const napi_type_tag WATCHER = {0x6e6961632d6e6574, 0x77617463682d3031};

/* One packet into the watcher's space; its length, or -1 with errno. Longer ones are cut. */
static ssize_t receive(watcher *w, uint8_t **start) {
  *start = w->space + TAG;
  if (!w->is_packet) return read(w->fd, *start, LONGEST);
  union {
    struct cmsghdr aligned;
    char space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
  } control;
  struct iovec into = {*start, LONGEST};
  struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(w->fd, &message, 0);
  struct cmsghdr *head = length < MACS ? NULL : CMSG_FIRSTHDR(&message);
  if (!head || head->cmsg_level != SOL_PACKET || head->cmsg_type != PACKET_AUXDATA) return length;
  struct tpacket_auxdata seen;
  memcpy(&seen, CMSG_DATA(head), sizeof seen);
  if (!(seen.tp_status & TP_STATUS_VLAN_VALID)) return length;
  uint16_t tag[2] = {htons(seen.tp_status & TP_STATUS_VLAN_TPID_VALID ? seen.tp_vlan_tpid : ETH_P_8021Q), htons(seen.tp_vlan_tci)};
  memmove(w->space, *start, MACS);
  memcpy(w->space + MACS, tag, TAG);
  *start = w->space;
  return length + TAG < LONGEST ? length + TAG : LONGEST;
}

static void call(watcher *w, napi_ref callback, napi_value argument) {
  napi_value self, function, thrown;
  if (!argument || napi_get_reference_value(w->env, w->self, &self) != napi_ok ||
      napi_get_reference_value(w->env, callback, &function) != napi_ok) return;
  if (napi_make_callback(w->env, NULL, self, function, 1, &argument, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(w->env, &thrown) == napi_ok) napi_fatal_exception(w->env, thrown);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)events;
  watcher *w = poll->data;
  napi_handle_scope scope;
  napi_value packets, packet;
  uint8_t *start;
  int count = 0, error = 0;
  if (napi_open_handle_scope(w->env, &scope) != napi_ok) return;
  if (napi_create_array(w->env, &packets) == napi_ok) {
    while (count < w->per_turn) {
      ssize_t length = receive(w, &start);
      if (length < 0 && errno == EINTR) continue;
      if (length < 0 && errno != EAGAIN) error = errno;
      if (length < 0 || napi_create_buffer_copy(w->env, (size_t)length, start, NULL, &packet) != napi_ok ||
          napi_set_element(w->env, packets, (uint32_t)count, packet) != napi_ok) break;
      count++;
    }
    /* libuv calls every error EBADF and stops; the read has said what it is. */
    if (error == 0 && status < 0) error = -status;
    /* libuv has stopped by itself where poll said the error; whatever the error, the caller decides whether to go on. */
    if (error) uv_poll_stop(poll);
    if (count > 0) call(w, w->on_packets, packets);
    if (error && !w->closing) call(w, w->on_error, system_error(w->env, "read", NULL, error));
  }
  napi_close_handle_scope(w->env, scope);
}

static void on_closed(uv_handle_t *handle) {
  watcher *w = handle->data;
  napi_delete_reference(w->env, w->self);
  napi_remove_async_cleanup_hook(w->at_exit);
  w->closed = true;
  if (w->collected) free(w);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  watcher *w = data;
  w->collected = true;
  if (w->closed) free(w);
}

static void end(watcher *w) {
  if (w->closing) return;
  w->closing = true;
  uv_close((uv_handle_t *)&w->poll, on_closed);
  close(w->fd);
  napi_delete_reference(w->env, w->on_packets);
  napi_delete_reference(w->env, w->on_error);
}

static void on_exit_of_environment(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  end(data);
}

static watcher *watcher_of(napi_env env, napi_callback_info info) {
  napi_value self;
  bool ours = false;
  void *data = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, &self, NULL) != napi_ok ||
      napi_check_object_type_tag(env, self, &WATCHER, &ours) != napi_ok || !ours || napi_unwrap(env, self, &data) != napi_ok)
    refuse(env, "this must be what watch() returned");
  return data;
}

static napi_value pause_watch(napi_env env, napi_callback_info info) {
  watcher *w = watcher_of(env, info);
  if (w && !w->closing) uv_poll_stop(&w->poll);
  return NULL;
}

static napi_value resume_watch(napi_env env, napi_callback_info info) {
  watcher *w = watcher_of(env, info);
  if (w && !w->closing) uv_poll_start(&w->poll, UV_READABLE, on_poll);
  return NULL;
}

static napi_value close_watch(napi_env env, napi_callback_info info) {
  watcher *w = watcher_of(env, info);
  if (w) end(w);
  return NULL;
}

/* 1: a packet socket, 0: a TUN or an input device, -1 with errno: none of them, and not to be watched. */
static int kind_of(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  struct ifreq request;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_PACKET) return 1;
  if (fcntl(fd, F_GETFD) < 0) return -1;
  if (ioctl(fd, TUNGETIFF, &request) == 0 || is_input(fd)) return 0;
  errno = EINVAL;
  return -1;
}

napi_value watch(napi_env env, napi_callback_info info) {
  napi_value values[4], self;
  uv_loop_t *loop;
  int fd, per_turn;
  arguments(env, info, 4, values);
  if (!descriptor(env, values[0], &fd) ||
      !integer(env, values[1], 1, MOST_PER_TURN, "perTurn must be 1 to 1024 packets", &per_turn) ||
      !function(env, values[2], "onPackets must be a function") ||
      !function(env, values[3], "onError must be a function")) return NULL;
  int kind = kind_of(fd);
  if (kind < 0) return failed(env, "watch", NULL);
  const napi_property_descriptor methods[] = {
      {.utf8name = "pause", .method = pause_watch},
      {.utf8name = "resume", .method = resume_watch},
      {.utf8name = "close", .method = close_watch},
  };
  watcher *w = calloc(1, sizeof *w);
  if (!w) return failed(env, "calloc", NULL);
  w->env = env;
  w->fd = fd;
  w->per_turn = per_turn;
  w->is_packet = kind == 1;
  w->closed = true;
  w->poll.data = w;
  if (napi_create_object(env, &self) != napi_ok || napi_wrap(env, self, w, on_collected, NULL, NULL) != napi_ok)
    return free(w), NULL;
  if (napi_type_tag_object(env, self, &WATCHER) != napi_ok ||
      napi_define_properties(env, self, sizeof methods / sizeof methods[0], methods) != napi_ok ||
      napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;
  int status = uv_poll_init(loop, &w->poll, fd);
  if (status < 0) return errno = -status, failed(env, "uv_poll_init", NULL);
  w->closed = false;
  /* Strong: whoever lets go of the handle without closing it goes on getting packets. */
  napi_create_reference(env, self, 1, &w->self);
  napi_create_reference(env, values[2], 1, &w->on_packets);
  napi_create_reference(env, values[3], 1, &w->on_error);
  napi_add_async_cleanup_hook(env, on_exit_of_environment, w, &w->at_exit);
  uv_poll_start(&w->poll, UV_READABLE, on_poll);
  return self;
}
