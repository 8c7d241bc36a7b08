# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kinds of failure mean to an operator."""

from __future__ import annotations

# What the kinds of failure mean to an operator: cause and remedy, with the address filled in.
REASONS: dict[str, tuple[str, str]] = {
    "dns": (
        "The name {host} cannot be resolved from {where}.",
        "Correct the host name in {variable}, or add it to DNS or /etc/hosts on {where}.",
    ),
    "refused": (
        "Nothing listens on {host} port {port}: the service is down or bound to another address.",
        "Look at the unit ({unit}) and start it; compare its port and bind address with {variable}.",
    ),
    "stranger": (
        "Another user has taken {host} port {port} while the service was down, and would have been told the "
        "token; it was not sent.",
        "See who it is and end it: ss -ltnp 'sport = :{port}'; then start the service ({unit}), and change "
        "the secrets that others may have told it: playbooks/rotate.yml. A proxy of yours there is named "
        "in trusted_users.",
    ),
    "unreachable": (
        "There is no route to {host} port {port}, or a firewall rejects it.",
        "Check routes and firewall between {where} and {host}, and the address in {variable}.",
    ),
    "connect_timeout": (
        "{host} port {port} does not take connections: a firewall drops them or the process hangs.",
        "Check the firewall; if the port is local, restart the service: {unit}.",
    ),
    "timeout": (
        "{host} port {port} takes connections but did not answer in time: it hangs or is overloaded.",
        "Look at the journal and the load, then restart the service: {unit}. "
        "If it is just slow, raise `timeout`.",
    ),
    "reset": (
        "{host} port {port} closed the connection without an answer: it died or is not a web server.",
        "Look at the journal of the service: {unit}; check that {variable} names the right port.",
    ),
    "incomplete": (
        "The answer of {host} port {port} broke off before its end.",
        "Look at the journal of the service ({unit}) and of any proxy in front of it.",
    ),
    "not_http": (
        "What listens on {host} port {port} does not speak HTTP{maybe_tls}.",
        "Check that {variable} names the right scheme and port, and who holds the port (`ss -ltnp`).",
    ),
    "too_large": (
        "The answer of {host} is larger than a check reads.",
        "See what answers on {variable}; it is hardly Mission Control.",
    ),
    "tls_expired": (
        "The certificate of {host} has expired.",
        "Renew the certificate and reload the server that presents it.",
    ),
    "tls_not_yet_valid": (
        "The certificate of {host} is not valid yet, or the clock of {where} is behind.",
        "Check the clock (`timedatectl`) and the certificate's dates.",
    ),
    "tls_untrusted": (
        "The certificate of {host} is not signed by an authority that {where} trusts.",
        "Install the authority on {where} or name its file in `ca_path`.",
    ),
    "tls_hostname": (
        "The certificate of {host} is made out for another name.",
        "Use the certificate's name in {variable}, or issue a certificate for {host}.",
    ),
    "tls": (
        "TLS with {host} port {port} failed.",
        "Check that {variable} has the right scheme and port and that the server's TLS settings are current.",
    ),
    "redirect_loop": (
        "{host} redirects in a circle.",
        "Correct the redirects of the proxy in front of Mission Control.",
    ),
    "failed": (
        "The request to {host} port {port} failed.",
        "Look at the evidence, the journal of the service ({unit}) and the network.",
    ),
}
