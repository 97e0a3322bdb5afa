/* A word to the service manager (sd_notify(3)): a datagram to a Unix socket, for which Node has no function. */
#define _GNU_SOURCE
#include "values.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/@_.:-"
#define TEXT_CHARACTERS PATH_CHARACTERS " =,;()'\n"

napi_value notify(napi_env env, napi_callback_info info) {
  napi_value values[2], sent = NULL;
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char words[1024];
  arguments(env, info, 2, values);
  const char *must = "path must be a socket's: absolute, or @ and a name, of 107 characters at most";
  if (!text(env, values[0], PATH_CHARACTERS, must, to.sun_path, sizeof to.sun_path) ||
      !text(env, values[1], TEXT_CHARACTERS, "text must be NAME=value lines, of 1023 characters at most", words, sizeof words)) return NULL;
  if (to.sun_path[0] != '/' && to.sun_path[0] != '@') return refuse(env, must), NULL;
  /* An abstract name ends where its length says, and begins with a zero. */
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path) + (to.sun_path[0] == '/'));
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(env, "socket", NULL);
  /* Not waiting: a service manager that hangs must not hang the event loop too. */
  ssize_t written = sendto(fd, words, strlen(words), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, length);
  if (written < 0 && errno != EAGAIN) return failed_with(env, fd, "sendto", NULL);
  close(fd);
  napi_get_boolean(env, written >= 0, &sent);
  return sent;
}
