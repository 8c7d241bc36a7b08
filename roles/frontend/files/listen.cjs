// Copyright: OpenClaw Mission Control collection contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
//
// usage: node --require listen.cjs server.js
//
// Puts an unmodified Node.js server on speaking terms with systemd. The first server of the process takes over the
// listening socket of a socket unit, so that a restart refuses no connection. When it answers a request, systemd is
// told that the service is ready (Type=notify, NotifyAccess=all), so that `systemctl --user restart` returns then.
"use strict";

const { execFile } = require("node:child_process");
const http = require("node:http");
const net = require("node:net");

const FIRST_DESCRIPTOR = 3;
const DRAIN_MILLISECONDS = 200;
const handedOver = process.env.LISTEN_PID === String(process.pid) && Number(process.env.LISTEN_FDS) > 0;
const notifySocket = process.env.NOTIFY_SOCKET;
// Children of the server have no business with either.
for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"]) delete process.env[name];

const direct = process.env.MISSION_CONTROL_DIRECT;
if (direct) {
  const theirs = process.env.no_proxy || process.env.NO_PROXY || "";
  const listed = [...theirs.split(","), ...direct.split(",")].filter(Boolean);
  process.env.no_proxy = process.env.NO_PROXY = [...new Set(listed)].join(",");
}

// Node.js has no datagram sockets of the UNIX family, so that systemd's own program speaks for it.
function notify(...messages) {
  const environment = { PATH: process.env.PATH, NOTIFY_SOCKET: notifySocket };
  execFile("systemd-notify", messages, { env: environment, timeout: 10000 }, (error) => {
    if (error) console.error(`systemd cannot be told ${messages.join(" ")}: ${error.message}`);
  });
}

// Ready means that a page is answered. A server error may pass while it starts; systemd's own deadline ends the wait.
function tellWhenAnswered(server) {
  const { address, port } = server.address();
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  const again = () => setTimeout(() => tellWhenAnswered(server), 200);
  const request = http.get({ host, port, path: "/", timeout: 10000, agent: false }, (answer) => {
    answer.resume();
    answer.on("error", () => {});
    if (answer.statusCode < 500) notify("--ready", "--status=Serving requests");
    else again();
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", again);
}

// Accept nothing more: from there on connections wait in the socket unit for the next process. Those that were accepted
// a moment ago may not have sent their request yet, and closing them at once, as Node.js does, would be a failed request.
function closeGently(callback) {
  net.Server.prototype.close.call(this, callback);
  const closing = setInterval(() => this.closeIdleConnections(), DRAIN_MILLISECONDS);
  this.once("close", () => clearInterval(closing));
  return this;
}

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function takeOver(...parameters) {
  net.Server.prototype.listen = listen;
  if (this instanceof http.Server) this.close = closeGently;
  if (notifySocket) this.once("listening", () => tellWhenAnswered(this));
  if (!handedOver) return listen.apply(this, parameters);
  const whenListening = parameters.findLast((parameter) => typeof parameter === "function");
  return listen.call(this, { fd: FIRST_DESCRIPTOR }, ...(whenListening ? [whenListening] : []));
};
