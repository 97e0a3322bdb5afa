/**
 * The peers: proxies that end mutual TLS 1.3 and then pass bytes on, without looking at them. Each is set up as fast as it can be
 * under the same terms as niac: one worker, client certificate demanded and verified, no resumption, no delay of small segments,
 * no access log.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, PinnedProcess } from "./processes.ts";
import type { Place, Proxy } from "./proxy.ts";

const FILES = 8_192;
/** Seconds; longer than any measurement, so that no idle session is closed. */
const IDLE = 3_600;

/** What a program prints about itself, or null where it is not installed. Debian keeps these in sbin, off a user's PATH. */
function output(command: string, argument: string): string | null {
  const { error, stdout, stderr } = spawnSync(command, [argument], { encoding: "utf8", env: environment() });
  return error === undefined ? `${stdout}\n${stderr}` : null;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` };
}

/** With the OpenSSL it runs on, for most of the cost is that library's. */
function versionOf(name: string, text: string | null, version: RegExp): string | null {
  if (text === null) return null;
  const library =
    /running +(?:with|on) +OpenSSL(?: version : OpenSSL)? +(\d\S+)/i.exec(text) ??
    /built with OpenSSL (\S+)/i.exec(text);
  return `${name} ${version.exec(text)?.[1] ?? "?"}, OpenSSL ${library?.[1] ?? "?"}`;
}

function launch(name: string, place: Place, command: readonly string[]): PinnedProcess {
  return new PinnedProcess(name, place.core, command, join(place.dir, `${name}.log`), environment());
}

export function nginx(): Proxy {
  const about = output("nginx", "-V");
  const modules = /--modules-path=(\S+)/.exec(about ?? "")?.[1] ?? "/usr/lib/nginx/modules";
  const dynamic = join(modules, "ngx_stream_module.so");
  const hasStream = /--with-stream(\s|$)/.test(about ?? "") || existsSync(dynamic);
  return {
    name: "nginx",
    version: hasStream ? versionOf("nginx", about, /nginx\/(\S+)/) : null,
    missing: "apt-get install nginx-light libnginx-mod-stream",
    async start(place) {
      const port = await freePort();
      const config = join(place.dir, "nginx.conf");
      writeFileSync(
        config,
        `${existsSync(dynamic) ? `load_module ${dynamic};` : ""}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${FILES};
pid ${place.dir}/nginx.pid;
error_log ${place.dir}/nginx-error.log warn;
events { worker_connections ${FILES / 2}; }
stream {
  server {
    listen 127.0.0.1:${port} ssl backlog=1024;
    ssl_certificate ${place.server.cert};
    ssl_certificate_key ${place.server.key};
    ssl_client_certificate ${place.authority.cert};
    ssl_verify_client on;
    ssl_protocols TLSv1.3;
    ssl_session_tickets off;
    ssl_session_cache off;
    tcp_nodelay on;
    proxy_timeout ${IDLE}s;
    proxy_pass 127.0.0.1:${place.machinePort};
  }
}
`,
      );
      return { process: launch("nginx", place, ["nginx", "-p", place.dir, "-c", config]), port };
    },
  };
}

function haproxy(): Proxy {
  const about = output("haproxy", "-vv");
  return {
    name: "haproxy",
    version: versionOf("haproxy", about, /version (\d[\d.]*)/i),
    missing: "apt-get install haproxy",
    async start(place) {
      const port = await freePort();
      const pem = join(place.dir, "server.pem");
      writeFileSync(pem, place.server.certPem + place.server.keyPem, { mode: 0o600 });
      const config = join(place.dir, "haproxy.cfg");
      writeFileSync(
        config,
        `global
  nbthread 1
  maxconn ${FILES / 4}
  tune.ssl.cachesize 0
defaults
  mode tcp
  timeout connect 5s
  timeout client ${IDLE}s
  timeout server ${IDLE}s
frontend laptops
  bind 127.0.0.1:${port} backlog 1024 ssl crt ${pem} ca-file ${place.authority.cert} verify required ssl-min-ver TLSv1.3 no-tls-tickets
  default_backend machine
backend machine
  server press-4 127.0.0.1:${place.machinePort}
`,
      );
      return { process: launch("haproxy", place, ["haproxy", "-db", "-f", config]), port };
    },
  };
}

function stunnel(): Proxy {
  const command = ["stunnel4", "stunnel"].find((name) => output(name, "-version") !== null) ?? "stunnel";
  const about = output(command, "-version");
  return {
    name: "stunnel",
    version: versionOf("stunnel", about, /stunnel (\d\S+) on/),
    missing: "apt-get install stunnel4",
    async start(place) {
      const port = await freePort();
      const config = join(place.dir, "stunnel.conf");
      writeFileSync(
        config,
        `foreground = yes
pid =
syslog = no
debug = warning
output = ${join(place.dir, "stunnel-error.log")}
socket = a:SO_REUSEADDR=1
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[modbus]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${place.machinePort}
cert = ${place.server.cert}
key = ${place.server.key}
CAfile = ${place.authority.cert}
verifyChain = yes
requireCert = yes
sslVersionMin = TLSv1.3
options = NO_TICKET
sessionCacheSize = 1
TIMEOUTidle = ${IDLE}
libwrap = no
`,
      );
      return { process: launch("stunnel", place, [command, config]), port };
    },
  };
}

export function allPeers(): Proxy[] {
  return [nginx(), haproxy(), stunnel()];
}

/** The processor, as its maker calls it. */
export function processorName(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? process.arch;
}
