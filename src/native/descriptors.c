/* What opens, filters, counts, writes and closes. */
#define _GNU_SOURCE
#include "values.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define ADDRESS_CHARACTERS "0123456789."

static bool interface_name(napi_env env, napi_value value, char name[IFNAMSIZ]) {
  /* No %: the kernel would take it for a pattern and make a name of its own. */
  return text(env, value, NAME_CHARACTERS, "name must be an interface's: 1 to 15 letters, digits, and _ . -", name, IFNAMSIZ);
}

typedef struct {
  struct sock_filter steps[BPF_MAXINSNS];
  unsigned short count;
} filter;

static bool packed_filter(napi_env env, napi_value value, filter *out) {
  const char *must = "filter must be a Buffer of 0 to 4096 struct sock_filter of 8 bytes each";
  void *data;
  size_t length;
  if (!bytes(env, value, must, &data, &length)) return false;
  if (length > sizeof out->steps || length % sizeof out->steps[0] != 0) return refuse(env, must);
  if (length > 0) memcpy(out->steps, data, length);
  out->count = (unsigned short)(length / sizeof out->steps[0]);
  return true;
}

static int attach(int fd, filter *with) {
  int unused = 0;
  struct sock_fprog program = {.len = with->count, .filter = with->steps};
  if (with->count > 0) return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  int result = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
  return result < 0 && errno == ENOENT ? 0 : result; /* ENOENT: there was none */
}

static napi_value open_tun(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  arguments(env, info, 1, values);
  if (!interface_name(env, values[0], request.ifr_name)) return NULL;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return failed(env, "open", "/dev/net/tun");
  if (ioctl(fd, TUNSETIFF, &request) < 0) return failed_with(env, fd, "ioctl", request.ifr_name);
  return number_value(env, fd);
}

static napi_value open_packet(napi_env env, napi_callback_info info) {
  napi_value values[2];
  char name[IFNAMSIZ];
  filter with;
  int on = 1;
  arguments(env, info, 2, values);
  if (!interface_name(env, values[0], name) || !packed_filter(env, values[1], &with)) return NULL;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
  if (at.sll_ifindex == 0) return failed(env, "if_nametoindex", name);
  /* Protocol 0 hears nothing; it listens from bind() on, and the filter is there by then. */
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(env, "socket", name);
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 || attach(fd, &with) < 0)
    return failed_with(env, fd, "setsockopt", name);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) return failed_with(env, fd, "bind", name);
  return number_value(env, fd);
}

static napi_value set_filter(napi_env env, napi_callback_info info) {
  napi_value values[2];
  filter with;
  int fd;
  arguments(env, info, 2, values);
  if (!descriptor(env, values[0], &fd) || !packed_filter(env, values[1], &with)) return NULL;
  return attach(fd, &with) < 0 ? failed(env, "setsockopt", NULL) : NULL;
}

static napi_value packet_drops(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct tpacket_stats counted;
  socklen_t size = sizeof counted;
  int fd;
  arguments(env, info, 1, values);
  if (!descriptor(env, values[0], &fd)) return NULL;
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counted, &size) < 0) return failed(env, "getsockopt", NULL);
  return number_value(env, counted.tp_drops);
}

static napi_value listen_transparent(napi_env env, napi_callback_info info) {
  napi_value values[3];
  char address[INET_ADDRSTRLEN];
  struct sockaddr_in at = {.sin_family = AF_INET};
  int port, backlog, on = 1;
  arguments(env, info, 3, values);
  const char *must = "address must be IPv4, four numbers with dots";
  if (!text(env, values[0], ADDRESS_CHARACTERS, must, address, sizeof address) ||
      !integer(env, values[1], 0, 65535, "port must be 0 to 65535", &port) ||
      !integer(env, values[2], 1, 65535, "backlog must be 1 to 65535", &backlog)) return NULL;
  if (inet_pton(AF_INET, address, &at.sin_addr) != 1) return refuse(env, must), NULL;
  at.sin_port = htons((uint16_t)port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(env, "socket", address);
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on) < 0) return failed_with(env, fd, "setsockopt", address);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) return failed_with(env, fd, "bind", address);
  if (listen(fd, backlog) < 0) return failed_with(env, fd, "listen", address);
  return number_value(env, fd);
}

static napi_value write_packet(napi_env env, napi_callback_info info) {
  napi_value values[2], sent = NULL;
  void *data;
  size_t length;
  ssize_t written;
  int fd;
  arguments(env, info, 2, values);
  if (!descriptor(env, values[0], &fd) || !bytes(env, values[1], "packet must be a Buffer", &data, &length)) return NULL;
  do written = write(fd, data, length);
  while (written < 0 && errno == EINTR);
  if (written < 0 && errno != EAGAIN && errno != ENOBUFS) return failed(env, "write", NULL);
  napi_get_boolean(env, written >= 0, &sent);
  return sent;
}

static napi_value close_fd(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int fd;
  arguments(env, info, 1, values);
  if (!descriptor(env, values[0], &fd)) return NULL;
  /* Not again after EINTR: Linux has let go of the descriptor by then, and its number may be another's. */
  return close(fd) < 0 && errno != EINTR ? failed(env, "close", NULL) : NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "openTun", .method = open_tun, .attributes = napi_enumerable},
      {.utf8name = "openPacket", .method = open_packet, .attributes = napi_enumerable},
      {.utf8name = "setFilter", .method = set_filter, .attributes = napi_enumerable},
      {.utf8name = "packetDrops", .method = packet_drops, .attributes = napi_enumerable},
      {.utf8name = "listenTransparent", .method = listen_transparent, .attributes = napi_enumerable},
      {.utf8name = "write", .method = write_packet, .attributes = napi_enumerable},
      {.utf8name = "watch", .method = watch, .attributes = napi_enumerable},
      {.utf8name = "openInput", .method = open_input, .attributes = napi_enumerable},
      {.utf8name = "inputIdentity", .method = input_identity, .attributes = napi_enumerable},
      {.utf8name = "inputState", .method = input_state, .attributes = napi_enumerable},
      {.utf8name = "closeFd", .method = close_fd, .attributes = napi_enumerable},
      {.utf8name = "forbidDumps", .method = forbid_dumps, .attributes = napi_enumerable},
      {.utf8name = "notify", .method = notify, .attributes = napi_enumerable},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}
